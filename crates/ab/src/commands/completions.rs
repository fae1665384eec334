//! `completions`: what a shell needs to complete our arguments.

use clap::Command;
use clap_complete::Shell;

use crate::terminal::{Printer, program};

/// Prints the completions of `command` for `shell`: for `ab`, or for `cargo ab` or `spin ab` if that is how the program
/// was called.
///
/// # Errors
///
/// Standard output cannot be written.
pub(crate) fn run(command: Command, shell: Shell, printer: Printer) -> anyhow::Result<()> {
    let script = script(command, shell, program().split_once(' ').map(|(parent, _)| parent));
    printer.stream(|out| Ok(out.write_all(&script)?))
}

/// How to install them, shell by shell.
pub(crate) fn installation() -> String {
    let program = program();
    let file = program.replace(' ', "-");
    format!(
        "Write them to a file that the shell reads when it starts:
  bash        ~/.{file}.bash; add to ~/.bashrc: source ~/.{file}.bash
  zsh         _{file}, in a directory of $fpath
  fish        ~/.config/fish/conf.d/{file}.fish
  elvish      ~/.config/elvish/{file}.elv; add to rc.elv: eval (slurp < ~/.config/elvish/{file}.elv)
  powershell  ~/{file}.ps1; add to $PROFILE: . ~/{file}.ps1
For example: {program} completions bash > ~/.{file}.bash"
    )
}

/// A shell completes by a line's first word. Where that is `parent`, its own completions have to hand over to ours; only
/// bash and fish let them be asked for everything else, and in zsh Cargo's look for a function named after the command.
fn script(command: Command, shell: Shell, parent: Option<&'static str>) -> Vec<u8> {
    match (shell, parent) {
        (_, None) => generate(command, shell, "ab"),
        (Shell::Bash, Some(parent)) => {
            let mut script = generate(command, shell, "ab");
            script.extend(include_str!("completions/parent.bash").replace("PARENT", parent).bytes());
            script
        }
        (Shell::Fish, Some(parent)) => {
            let mut script = generate(command, shell, "ab");
            let ours = "test (count (commandline -opc)) -ge 2; and test (commandline -opc)[2] = ab";
            let hand_over = "(__fish_complete_subcommand --fcs-skip=1)";
            script.extend(format!("complete -c {parent} -n '{ours}' -xa '{hand_over}'\n").bytes());
            script
        }
        (Shell::Zsh, Some("cargo")) => generate(command, shell, "cargo-ab"),
        (_, Some(parent)) => generate(Command::new(parent).subcommand(command), shell, parent),
    }
}

fn generate(mut command: Command, shell: Shell, name: &str) -> Vec<u8> {
    // Written to memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}
