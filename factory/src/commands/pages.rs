//! `completions SHELL` and `man [COMMAND]`: what is made from the definition of the
//! arguments.

use clap::CommandFactory as _;
use image_factory::cli::{Exit, Streams};

/// Print a script that completes arguments in a shell
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Completions {
    /// Which shell
    #[arg(value_name = "SHELL")]
    shell: clap_complete::Shell,
}

/// Print a manual page
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Man {
    /// The command that it is about [default: all of the program]
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

/// Prints a completion script.
pub(crate) fn completions(args: &Completions, streams: &mut Streams<'_>) -> Exit {
    let mut script = Vec::new();
    let mut program = crate::Cli::command();
    clap_complete::generate(args.shell, &mut program, "image-factory", &mut script);
    print(&script, streams)
}

/// Prints a manual page.
pub(crate) fn man(args: &Man, streams: &mut Streams<'_>) -> Exit {
    let mut program = crate::Cli::command();
    program.build();
    let page = match &args.command {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(found) => found.clone(),
            None => {
                let known: Vec<&str> = program
                    .get_subcommands()
                    .map(clap::Command::get_name)
                    .collect();
                let help = image_factory::diagnostics::did_you_mean(name, &known);
                let shown = name.escape_debug();
                streams.tell(&format!("error: there is no command `{shown}`; {help}\n"));
                return Exit::Wrong;
            }
        },
    };
    let mut text = Vec::new();
    match clap_mangen::Man::new(page).render(&mut text) {
        Ok(()) => print(&text, streams),
        Err(error) => {
            streams.tell(&format!("error: the page cannot be made: {error}\n"));
            Exit::Wrong
        }
    }
}

fn print(text: &[u8], streams: &mut Streams<'_>) -> Exit {
    match streams.print(&String::from_utf8_lossy(text)) {
        Ok(()) => Exit::Done,
        Err(error) => {
            streams.tell(&format!("error: cannot print: {error}\n"));
            Exit::Wrong
        }
    }
}
