#!/usr/bin/env python3
"""Writes the program's manual page or its completion for bash, from the --help of its commands.

usage: program_texts.py man|completion PROGRAM
"""

import re
import subprocess
import sys

ENTRY = re.compile(r"^  (\S.*?)(?:\s{2,}(\S.*))?$")
CONTINUED = re.compile(r"^\s{8,}(\S.*)$")


def help_of(program, *command):
    done = subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=True)
    return done.stdout


def parsed(text):
    """(description, [(option, explanation)], [(subcommand, explanation)], the same of the words
    that the command takes)."""
    description, found, entries = text.split("\n", 1)[0].strip(), {}, None
    for line in text.split("\n"):
        if heading := re.match(r"^(\w[\w ]*):$", line):
            entries = found.setdefault(heading[1].lower(), [])
        elif entries is not None and (more := CONTINUED.match(line)) and entries:
            entries[-1][1] = f"{entries[-1][1]} {more[1]}".strip()
        elif entries is not None and (entry := ENTRY.match(line)):
            words, explanation = entry[1], entry[2] or ""
            # an option's name may leave a single blank before its explanation
            if not explanation and "(Env:" in words and not words.endswith(")"):
                words, explanation = re.match(r"(.*?\(Env:\w+\)) (.*)", words).groups()
            entries.append([words, explanation])
    commands = [entry for key, list_ in found.items() if "command" in key for entry in list_]
    taken = [(words.split()[0], explanation) for words, explanation in found.get("positionals", [])]
    return (description, [tuple(e) for e in found.get("options", [])],
            [tuple(e) for e in commands], taken)


def tree(program):
    """{command's words: what parsed() gives}, the program itself first."""
    found = {(): parsed(help_of(program))}
    for name, _ in found[()][2]:
        found[name,] = parsed(help_of(program, name))
        for inner, _ in found[name,][2]:
            found[name, inner] = parsed(help_of(program, name, inner))
    return found


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return "\\&" + text if text.startswith(".") else text


def option_lines(options):
    for words, explanation in options:
        names = re.sub(r"\s*\(Env:(\w+)\)", "", words).replace(",--", ", --")
        variable = re.search(r"\(Env:(\w+)\)", words)
        yield ".TP"
        yield f"\\fB{roff(names)}\\fR"
        yield roff(explanation + (f" ({variable[1]})" if variable else ""))


def manual_page(program):
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    release = re.search(r"\d+\.\d+\.\d+", version.stdout)[0]
    commands = tree(program)
    description, options, *_ = commands.pop(())
    yield f'.TH SKANU 1 "" "SKANU {release}" "User Commands"'
    yield ".SH NAME"
    yield "skanu \\- coffee orders, payments, deliveries and stamps"
    yield ".SH SYNOPSIS"
    yield ".B skanu\n.RI [ OPTIONS ]\n.I COMMAND\n.RI [ OPTIONS ]"
    yield ".SH DESCRIPTION"
    yield roff(description)
    yield ".PP"
    yield roff(
        "Every option is also an environment variable, named in brackets, and an entry of the "
        "configuration file under its command. The command line wins over the file, the file over "
        "the environment.")
    yield ".SH OPTIONS"
    yield from option_lines(options)
    for command, (explained, its_options, _, taken) in commands.items():
        yield f".SH SKANU {' '.join(command).upper()}"
        yield roff(explained)
        for word, meaning in taken:
            yield f".TP\n.I {word}\n{roff(meaning)}"
        yield from option_lines([o for o in its_options if "--help" not in o[0]])
    yield ".SH SIGNALS"
    for signals, meaning in (
            ("SIGTERM, SIGINT", "Leaves: readiness is DOWN for --drain, then what was accepted is "
                                "answered. A second one ends the wait."),
            ("SIGHUP", "Opens the log file anew.")):
        yield f".TP\n.B {signals}\n{roff(meaning)}"
    yield ".SH EXIT STATUS"
    yield roff("0: done. 1: what was asked about is not sound, or was refused. 2: it could not be "
               "done, and standard error says why.")
    yield ".SH FILES"
    for file, meaning in (
            ("/etc/skanu/skanu.toml", "Configuration of the service."),
            ("/var/lib/skanu", "Data of the service."),
            ("/var/lib/skanu-backup", "Copies that skanu-backup.timer makes.")):
        yield f".TP\n.I {file}\n{roff(meaning)}"
    yield ".SH SEE ALSO"
    yield ".BR systemctl (1),\n.BR journalctl (1)"


def words_of(entry):
    _, options, commands, _ = entry
    names = [name for words, _ in options for name in re.findall(r"--[a-z][a-z-]*", words)]
    return " ".join([*(name for name, _ in commands), *names])


def completion(program):
    commands = tree(program)
    yield "# bash completion for skanu"
    yield "_skanu() {"
    yield '  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}'
    yield '  local words="" command="" word'
    yield "  COMPREPLY=()"
    yield '  case $previous in'
    yield '    --data | --to | --config | --*-file | --tls-*)'
    yield '      mapfile -t COMPREPLY < <(compgen -f -- "$current")'
    yield "      return"
    yield "      ;;"
    yield "  esac"
    yield '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do'
    yield '    case "$command $word" in'
    for command in filter(None, commands):
        yield f"      '{' '.join(['', *command[:-1]]) if len(command) > 1 else ''} {command[-1]}')"
        yield f"        command='{' '.join(['', *command])}'"
        yield "        ;;"
    yield "    esac"
    yield "  done"
    yield '  case $command in'
    for command, entry in commands.items():
        yield f"    '{' '.join(['', *command]) if command else ''}') words='{words_of(entry)}' ;;"
    yield "  esac"
    yield '  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")'
    yield "}"
    yield "complete -o filenames -F _skanu skanu"


WRITERS = {"man": manual_page, "completion": completion}

if __name__ == "__main__":
    if {"-h", "--help"} & set(sys.argv):
        print(__doc__)
        sys.exit()
    if len(sys.argv) != 3 or sys.argv[1] not in WRITERS:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    print("\n".join(WRITERS[sys.argv[1]](sys.argv[2])))
