//! `poolbench recommend`: the best settings of a run within constraints, predicted and then measured anew.

mod confirm;

use analysis::recommend::{self, Advice, Constraints, Evidence, Payload, Survive};
use anyhow::Result;
use model::plan::Size;

use crate::args::{DurableArg, RecommendArgs};
use crate::exit::{Complaint, Exit, shell_word};
use crate::progress::{eprint_line, print_result};
use crate::{facts, rundir};

/// Decides, confirms, prints.
pub(super) fn recommend(args: &RecommendArgs) -> Result<Exit> {
    if facts::PROFILE == "debug" && !args.allow_debug && !args.no_confirm {
        let help = "build with `--release`, or add --no-confirm or --allow-debug";
        return Err(Complaint::usage("this is a debug build, whose figures mean little, so it confirms nothing", help));
    }
    let payload = args.payload.as_deref().map(confirm::payload).transpose()?;
    let kept = rundir::read(&args.run)?;
    if kept.plan.virtual_time {
        let line = format!("'{}' is a run in virtual time, which knows no disk and no codec", args.run.display());
        return Err(Complaint::usage(line, "give a run that was measured: `poolbench run` without --virtual"));
    }
    if !args.quiet && kept.plan.size == Size::Smoke {
        eprint_line("note: the run is of smoke size, which is about being right; its figures are rough");
    }
    let advice = advise(args, &kept, payload.as_ref())?;
    let confirmed = if args.no_confirm {
        None
    } else {
        let Some(confirmed) = confirm::measure(args, &kept, &advice, payload.as_ref())? else { return Ok(Exit::Interrupted) };
        Some(confirmed)
    };
    let text = if args.json { json(&advice, confirmed.as_ref())? } else { page(&advice, confirmed.as_ref()) };
    print_result(&text)?;
    let failed = confirmed.iter().flat_map(|c| &c.failures);
    let failed = failed.inspect(|why| eprint_line(&format!("failed: {why}"))).count() > 0;
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn advise(args: &RecommendArgs, kept: &rundir::Kept, payload: Option<&Payload>) -> Result<Advice> {
    let survive = match args.durable {
        DurableArg::None => Survive::Nothing,
        DurableArg::Kill => Survive::Kill,
        DurableArg::PowerLoss => Survive::PowerLoss,
    };
    let constraints = Constraints { survive, p99_ns: args.p99, payload_bytes: payload.map(|p| p.bytes) };
    let durability = rundir::durability(&args.run)?;
    let summary = analysis::summarise_with(&kept.plan, &kept.facts, &kept.records, durability.as_ref());
    let evidence = Evidence { plan: &kept.plan, summary: &summary, records: &kept.records, durability: durability.as_ref() };
    let contests = recommend::contests(&evidence, &constraints);
    let run = shell_word(&args.run);
    if contests.is_empty() {
        let line = format!("'{}' holds no two settings of a store or a codec under one load", args.run.display());
        return Err(Complaint::usage(
            line,
            "run what compares them: poolbench run -f '^(io/session-files|sqlite/(session-writes|group-commit)|compression/)'",
        ));
    }
    if durability.is_none() && survive != Survive::Nothing && contests.iter().any(|contest| contest.part.keeps()) {
        let line = format!("'{}' does not say what a crash costs, so nothing in it is known to be durable", args.run.display());
        return Err(Complaint::usage(line, format!("add that with `poolbench durability --into {run}`, or ask for --durable none")));
    }
    let advice = recommend::advise(&evidence, &constraints);
    if !advice.impossible.is_empty() {
        let help = "loosen a constraint that is named, or run more settings: `poolbench list --cases` shows which there are";
        return Err(Complaint { exit: Exit::Usage, lines: advice.impossible, help: Some(help.to_owned()) }.into());
    }
    Ok(advice)
}

fn page(advice: &Advice, confirmed: Option<&confirm::Confirmed>) -> String {
    let mut page = report::recommendation(advice);
    if let Some(confirmed) = confirmed {
        page.push_str(&report::confirmation(&confirmed.figures, &confirmed.on));
    }
    format!("{}\n", page.trim_end())
}

fn json(advice: &Advice, confirmed: Option<&confirm::Confirmed>) -> Result<String> {
    let whole = serde_json::json!({
        "schema": model::plan::SCHEMA,
        "advice": advice,
        "settings": report::settings_block(&advice.decisions),
        "confirmed": confirmed.map(|c| serde_json::json!({ "on": c.on, "figures": c.figures, "failures": c.failures })),
    });
    Ok(serde_json::to_string_pretty(&whole)? + "\n")
}

#[cfg(test)]
mod tests;
