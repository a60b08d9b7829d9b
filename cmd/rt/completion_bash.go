package main

import (
	"fmt"
	"strings"
)

// bashCompletion is a function that looks at the words typed so far: which of
// them is the command, and whether the one before the cursor wants a value. Bash
// splits --flag=value at the sign, so that the sign is a word of its own.
func bashCompletion(line commandLine) string {
	var takesValue, values, flags, arguments strings.Builder
	describe := func(command string, known []signature) {
		var names []string
		for _, flag := range known {
			names = append(names, flag.dashed()...)
		}
		fmt.Fprintf(&flags, "\t%s) echo '%s' ;;\n", bashPattern(command), strings.Join(names, " "))
		for _, flag := range withValue(known) {
			var patterns []string
			for _, name := range flag.dashed() {
				patterns = append(patterns, bashPattern(command+" "+name))
			}
			pattern := strings.Join(patterns, " | ")
			fmt.Fprintf(&takesValue, "\t%s) return 0 ;;\n", pattern)
			fmt.Fprintf(&values, "\t%s) %s ;;\n", pattern, bashOffer(flag.completed()))
		}
	}
	describe("", line.flags)
	var names []string
	for _, command := range line.commands {
		names = append(names, command.name)
		describe(command.name, command.flags)
		for i, argument := range command.arguments {
			fmt.Fprintf(&arguments, "\t%s) %s ;;\n", bashPattern(fmt.Sprintf("%s %d", command.name, i)), bashOffer(argument))
		}
	}
	return strings.NewReplacer(
		"@commands@", strings.Join(names, " "),
		"@takes value@", takesValue.String(),
		"@values@", values.String(),
		"@flags@", flags.String(),
		"@arguments@", arguments.String(),
	).Replace(bashScript)
}

// bashPattern quotes what a pattern has to match as it is.
func bashPattern(text string) string { return "'" + text + "'" }

// bashOffer is the command that fills COMPREPLY.
func bashOffer(c completed) string {
	switch c.kind {
	case oneOf:
		return "_rt_words " + strings.Join(c.words, " ")
	case aFile:
		return "_rt_files -f"
	case aDirectory:
		return "_rt_files -d"
	case aContainer:
		return `_rt_words $(_rt_containers)`
	default:
		return "_rt_files -f"
	}
}

const bashScript = `# Completion of rt's command line for bash, made by "rt completion bash".

_rt() {
	local current=${COMP_WORDS[COMP_CWORD]} command= expects= name word count=0 i
	local root=()
	COMPREPLY=()
	[[ $current == = ]] && current=
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == = ]]; then
			continue
		elif [[ $expects ]]; then
			[[ $expects == ' --root' ]] && root=(--root "$word")
			expects=
		elif [[ $word == -?* ]]; then
			name=${word/#-[!-]?/-&}
			_rt_takes_value "$command $name" && expects="$command $name"
		elif [[ -z $command ]]; then
			command=$word
		else
			((count += 1))
		fi
	done
	if [[ $expects ]]; then
		_rt_value "$expects"
	elif [[ $current == -* ]]; then
		_rt_words $(_rt_flags "$command")
	elif [[ -z $command ]]; then
		_rt_words @commands@
	else
		_rt_argument "$command $count"
	fi
}

_rt_words() {
	COMPREPLY=($(compgen -W "$*" -- "$current"))
}

_rt_files() {
	local name
	compopt -o filenames 2>/dev/null
	while IFS= read -r name; do
		COMPREPLY+=("$name")
	done < <(compgen "$1" -- "$current")
}

_rt_containers() {
	"${COMP_WORDS[0]}" "${root[@]}" list --quiet 2>/dev/null
}

_rt_takes_value() {
	case $1 in
@takes value@	*) return 1 ;;
	esac
}

_rt_value() {
	case $1 in
@values@	esac
}

_rt_flags() {
	case $1 in
@flags@	esac
}

_rt_argument() {
	case $1 in
@arguments@	*) _rt_files -f ;;
	esac
}

complete -F _rt rt
`
