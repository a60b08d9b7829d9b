package main

import (
	"fmt"
	"slices"
	"strings"
)

// fishCompletion is a list of complete(1) commands.
func fishCompletion(line commandLine) string {
	var script strings.Builder
	script.WriteString(fishFunctions)
	var commands []string
	for _, command := range line.commands {
		commands = append(commands, command.name)
	}
	none := "not __fish_seen_subcommand_from " + strings.Join(commands, " ")
	for _, flag := range line.flags {
		script.WriteString(fishFlag(none, flag))
	}
	for _, command := range line.commands {
		fmt.Fprintf(&script, "complete -c rt -n %s -a %s -d %s\n", fishQuote(none), command.name, fishQuote(command.usage))
	}
	for _, command := range line.commands {
		seen := "__fish_seen_subcommand_from " + command.name
		for _, flag := range command.flags {
			script.WriteString(fishFlag(seen, flag))
		}
		// Fish does not count arguments: each is offered what any may be.
		var offers []string
		for _, argument := range command.arguments {
			if offer := fishOffer(argument); !slices.Contains(offers, offer) {
				offers = append(offers, offer)
			}
		}
		for _, offer := range offers {
			fmt.Fprintf(&script, "complete -c rt -n %s -a %s\n", fishQuote(seen), fishQuote(offer))
		}
	}
	return script.String()
}

func fishFlag(condition string, flag signature) string {
	line := "complete -c rt -n " + fishQuote(condition)
	for _, name := range flag.names {
		if len(name) == 1 {
			line += " -s " + name
		} else {
			line += " -l " + name
		}
	}
	if flag.value != "" {
		line += " -x -a " + fishQuote(fishOffer(flag.completed()))
	}
	return line + " -d " + fishQuote(flag.usage) + "\n"
}

// fishOffer is what complete -a evaluates.
func fishOffer(c completed) string {
	switch c.kind {
	case oneOf:
		return strings.Join(c.words, " ")
	case aDirectory:
		return "(__fish_complete_directories)"
	case aContainer:
		return "(__rt_containers)"
	default:
		return "(__fish_complete_path)"
	}
}

func fishQuote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}

const fishFunctions = `# Completion of rt's command line for fish, made by "rt completion fish".

function __rt_containers
	set -l root (string match -r -- '--root[= ](\S+)' (commandline -p))
	if set -q root[2]
		rt --root $root[2] list --quiet 2>/dev/null
	else
		rt list --quiet 2>/dev/null
	end
end

complete -c rt -f
`
