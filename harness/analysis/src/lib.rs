//! Records -> summary, comparison, claim, brand, verdict; pure.
