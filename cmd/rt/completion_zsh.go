package main

import (
	"fmt"
	"strings"
)

// zshCompletion is a function in the manner of zshcompsys(1): _arguments does
// the work, once for rt and once for its command. As a file of $fpath it is
// loaded when it is first needed; sourced, it registers itself.
func zshCompletion(line commandLine) string {
	var commands, cases strings.Builder
	for _, command := range line.commands {
		fmt.Fprintf(&commands, "\t\t\t%s\n", zshQuote(command.name+":"+command.usage))
		if len(command.flags)+len(command.arguments) == 0 {
			continue
		}
		fmt.Fprintf(&cases, "\t\t%s)\n\t\t\t_arguments -s", command.name)
		for _, flag := range command.flags {
			cases.WriteString(" \\\n\t\t\t\t" + zshFlag(flag))
		}
		for i, argument := range command.arguments {
			fmt.Fprintf(&cases, " \\\n\t\t\t\t%s", zshQuote(fmt.Sprintf("%d: :%s", i+1, zshOffer(argument))))
		}
		cases.WriteString("\n\t\t\t;;\n")
	}
	var flags strings.Builder
	for _, flag := range line.flags {
		flags.WriteString("\t\t" + zshFlag(flag) + " \\\n")
	}
	return strings.NewReplacer(
		"@flags@", flags.String(),
		"@commands@", commands.String(),
		"@cases@", cases.String(),
	).Replace(zshScript)
}

// zshFlag is a flag as _arguments wants it: the names that exclude each other,
// the names, what it does, and what its value is.
func zshFlag(flag signature) string {
	names := flag.dashed()
	exclude, value := "("+strings.Join(names, " ")+")", ""
	if flag.repeat {
		exclude = "*"
	}
	if flag.value != "" {
		value = ":" + flag.value + ":" + zshOffer(flag.completed())
		for i, name := range names {
			if strings.HasPrefix(name, "--") {
				names[i] += "="
			}
		}
	}
	spelled := names[0]
	if len(names) > 1 {
		spelled = "{" + strings.Join(names, ",") + "}"
	}
	return zshQuote(exclude) + spelled + zshQuote("["+zshEscape(flag.usage)+"]"+value)
}

// zshOffer is the action that makes the matches.
func zshOffer(c completed) string {
	switch c.kind {
	case oneOf:
		return "(" + strings.Join(c.words, " ") + ")"
	case aDirectory:
		return "_files -/"
	case aContainer:
		return "_rt_containers"
	default:
		return "_files"
	}
}

func zshEscape(text string) string {
	return strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`).Replace(text)
}

func zshQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

const zshScript = `#compdef rt
# Completion of rt's command line for zsh, made by "rt completion zsh".

_rt() {
	local context state state_descr line root
	typeset -A opt_args
	_arguments -C \
@flags@		'1: :->command' \
		'*:: :->arguments'
	root=${opt_args[--root]}
	case $state in
	command)
		local -a commands=(
@commands@		)
		_describe -t commands 'command of rt' commands
		;;
	arguments)
		case $words[1] in
@cases@		*) _files ;;
		esac
		;;
	esac
}

_rt_containers() {
	local -a ids
	ids=(${(f)"$(_call_program containers rt ${root:+--root ${(q)root}} list --quiet 2>/dev/null)"})
	_describe -t containers container ids
}

if [[ $funcstack[1] == _rt ]]; then
	_rt "$@"
else
	compdef _rt rt
fi
`
