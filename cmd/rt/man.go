package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/urfave/cli/v2"
)

const manName = "man"

func (t *tool) manCommand() *cli.Command {
	return &cli.Command{
		Name:      manName,
		Usage:     "print the manual page of rt or of one of its commands",
		ArgsUsage: "[RT-COMMAND]",
		Description: `The page is in the language of man(7), made from what --help shows:

   rt man run | man -l -

"make install" puts all pages where man(1) finds them.`,
		Action: func(c *cli.Context) error {
			if err := atMost(c, 1); err != nil {
				return err
			}
			if !c.Args().Present() {
				printManual(t.stdout, c.App)
				return nil
			}
			command := c.App.Command(c.Args().First())
			if command == nil {
				return fmt.Errorf("no command is called %q", c.Args().First())
			}
			printCommandManual(t.stdout, command)
			return nil
		},
	}
}

// printManual writes the page rt(8).
func printManual(w io.Writer, app *cli.App) {
	page := newPage(w, "rt", app.Usage)
	page.section("SYNOPSIS")
	page.line(".B rt")
	page.line(`[\fIglobal options\fR] \fIcommand\fR [\fIcommand options\fR] [\fIargument\fR...]`)
	page.section("DESCRIPTION")
	page.prose(app.Description)
	page.section("COMMANDS")
	var pages []string
	for _, command := range app.VisibleCommands() {
		page.item(`\fB`+roff(command.Name)+`\fR`, command.Usage)
		if command.Name != "help" {
			pages = append(pages, pageOf(command.Name))
		}
	}
	page.options("GLOBAL OPTIONS", app.Flags)
	page.section("EXIT STATUS")
	page.prose(`0 if all went well, 1 if rt failed. A run or an exec that waits for its program
exits with the program's code, or with 128 and the number of the signal that
ended it; an exec in which rt itself failed exits with 255.`)
	page.section("FILES")
	page.item(`\fI/run/rt\fR, \fI$XDG_RUNTIME_DIR/rt\fR`, "The state of containers, a directory each, of root and of ordinary users.")
	page.section("SEE ALSO")
	page.line(roff(strings.Join(pages, ", ")))
}

// printCommandManual writes the page rt-COMMAND(8).
func printCommandManual(w io.Writer, command *cli.Command) {
	page := newPage(w, "rt-"+command.Name, command.Usage)
	page.section("SYNOPSIS")
	page.line(`.B "rt ` + roff(command.Name) + `"`)
	page.line(`[\fIoptions\fR] \fI` + roff(command.ArgsUsage) + `\fR`)
	if command.Description != "" {
		page.section("DESCRIPTION")
		page.prose(command.Description)
	}
	page.options("OPTIONS", command.Flags)
	page.section("SEE ALSO")
	page.line(".BR rt (8)")
}

// pageOf is how a page refers to that of a command.
func pageOf(command string) string { return "rt-" + command + "(8)" }

// manual writes one page, see man(7).
type manual struct{ w io.Writer }

func newPage(w io.Writer, name, usage string) manual {
	page := manual{w}
	page.line(fmt.Sprintf(`.TH %s 8 "" "rt %s" "System Administration"`, strings.ToUpper(roff(name)), buildVersion()))
	page.section("NAME")
	page.line(roff(name) + ` \- ` + roff(usage))
	return page
}

func (p manual) line(text string) { fmt.Fprintln(p.w, text) }

func (p manual) section(title string) { p.line(`.SH "` + title + `"`) }

// prose writes paragraphs. Those that are indented are shown as they are.
func (p manual) prose(text string) {
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if !strings.HasPrefix(paragraph, " ") {
			p.line(".PP")
			p.line(roff(paragraph))
			continue
		}
		p.line(".PP\n.RS 4\n.nf")
		for shown := range strings.SplitSeq(paragraph, "\n") {
			p.line(roff(strings.TrimPrefix(shown, "   ")))
		}
		p.line(".fi\n.RE")
	}
}

// item writes a term, in the language of man(7), and what it means, in words.
func (p manual) item(term, meaning string) {
	p.line(".TP\n" + term)
	p.line(roff(meaning))
}

func (p manual) options(title string, flags []cli.Flag) {
	p.section(title)
	for _, flag := range signatures(flags) {
		var names []string
		for _, name := range flag.dashed() {
			term := `\fB` + roff(name) + `\fR`
			if flag.value != "" {
				term += ` \fI` + roff(flag.value) + `\fR`
			}
			names = append(names, term)
		}
		meaning := flag.usage
		if flag.preset != "" {
			meaning += " (default: " + flag.preset + ")"
		}
		if flag.repeat {
			meaning += "; may be given several times"
		}
		p.item(strings.Join(names, ", "), meaning)
	}
}

// roff protects what man(7) would take for something else: backslashes, dashes
// that are to stay dashes, letters beyond ASCII, and lines that begin like a
// request.
func roff(text string) string {
	var protected strings.Builder
	lineBegins := true
	for _, r := range text {
		switch {
		case lineBegins && (r == '.' || r == '\''):
			protected.WriteString(`\&` + string(r))
		case r == '\\':
			protected.WriteString(`\e`)
		case r == '-':
			protected.WriteString(`\-`)
		case r > unicode.MaxASCII:
			fmt.Fprintf(&protected, `\[u%04X]`, r)
		default:
			protected.WriteRune(r)
		}
		lineBegins = r == '\n'
	}
	return protected.String()
}
