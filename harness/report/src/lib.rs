//! Summary -> Markdown, SVG, JSON; pure.
