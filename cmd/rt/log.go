package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"rt/spec"
)

const (
	textFormat = "text"
	jsonFormat = "json"
)

// log tells the caller what went wrong: in words on stderr, and as one entry in
// the file that --log names, which is where engines look for it.
type log struct {
	stderr io.Writer
	file   *os.File // nil: there is no --log
	format string
	level  logrus.Level
	// structured says that without a file stderr gets log entries too, because
	// the caller asked for a format or for debugging.
	structured bool
	logger     *logrus.Logger // made for the first entry
}

// open reads the flags of the log and opens its file.
func (l *log) open(c *cli.Context) error {
	format := c.String("log-format")
	if format != textFormat && format != jsonFormat {
		return fmt.Errorf("invalid log-format: %s", format)
	}
	level, err := logLevel(c)
	if err != nil {
		return err
	}
	l.format, l.level = format, level
	l.structured = c.IsSet("log-format") || level == logrus.DebugLevel
	path := c.String("log")
	if path == "" {
		return nil
	}
	l.file, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_SYNC, 0o644)
	return err
}

func logLevel(c *cli.Context) (logrus.Level, error) {
	if c.Bool("debug") {
		return logrus.DebugLevel, nil
	}
	switch level := c.String("log-level"); level {
	case "", "warning":
		return logrus.WarnLevel, nil
	case "error":
		return logrus.ErrorLevel, nil
	case "debug":
		return logrus.DebugLevel, nil
	default:
		return 0, fmt.Errorf("option --log-level must be error, warning or debug, got %q", level)
	}
}

// record writes a failure to the log's file only, if there is one: the caller
// has been told already.
func (l *log) record(err error) {
	if l.file != nil {
		l.entry().Error(oneLine(err.Error()))
	}
}

// failure reports why the command failed. It is the last thing that a command
// says, and without debugging the only one: engines read a log with exactly one
// entry, and one line of stderr.
func (l *log) failure(err error) {
	if l.file != nil || l.structured {
		l.entry().Error(oneLine(err.Error()))
	}
	if l.file != nil || !l.structured {
		// A caller that reads no more is no reason for another exit code.
		signal.Ignore(unix.SIGPIPE)
		io.WriteString(l.stderr, forPeople(err)) // one write: conmon makes one read
	}
}

// warning reports what is questionable although the command succeeds. On stderr
// it appears only if loud: most commands must not print anything there.
func (l *log) warning(text string, loud bool) {
	switch {
	case l.file != nil || loud && l.structured:
		l.entry().Warn(oneLine(text))
	case loud && l.level >= logrus.WarnLevel:
		fmt.Fprintf(l.stderr, "rt: warning: %s\n", oneLine(text))
	}
}

// warnings reports what is questionable about a container's configuration. To a
// container that is created detached, rt's stderr belongs already.
func (l *log) warnings(problems []spec.Problem, loud bool) {
	for _, problem := range problems {
		l.warning(problem.String(), loud && !problem.Minor)
	}
}

// debug reports a step of what rt does.
func (l *log) debug(format string, args ...any) {
	if l.level >= logrus.DebugLevel {
		l.entry().Debugf(format, args...)
	}
}

// entry begins an entry of the log. For debugging it says where in the code the
// function of this file was called that writes it.
func (l *log) entry() *logrus.Entry {
	if l.logger == nil {
		l.logger = l.newLogger()
	}
	entry := logrus.NewEntry(l.logger)
	if l.level < logrus.DebugLevel {
		return entry
	}
	counter, file, line, _ := runtime.Caller(2)
	return entry.WithFields(logrus.Fields{
		"func": runtime.FuncForPC(counter).Name(),
		"file": fmt.Sprintf("%s:%d", file, line),
	})
}

// newLogger is called for the first entry: a command that says nothing does
// without.
func (l *log) newLogger() *logrus.Logger {
	logger := logrus.New()
	logger.SetLevel(l.level)
	logger.SetOutput(l.stderr)
	if l.file != nil {
		logger.SetOutput(wholeEntries{l.file})
	}
	if l.format == jsonFormat {
		logger.SetFormatter(&logrus.JSONFormatter{DisableHTMLEscape: true})
	}
	return logger
}

// wholeEntries writes each entry to the log's file with one write, or not at all.
// A file system that is full is no reason to fail, or to say anything on stderr,
// which may be the container's; but half an entry would make the file unreadable
// for who parses it.
type wholeEntries struct{ file *os.File }

func (w wholeEntries) Write(entry []byte) (int, error) {
	n, err := w.file.Write(entry)
	if err == nil || n == 0 {
		return len(entry), nil
	}
	// The descriptor now stands behind what was written (open(2), O_APPEND). If
	// that is the end of the file, nobody else has written since.
	end, seekErr := w.file.Seek(0, io.SeekCurrent)
	info, statErr := w.file.Stat()
	if seekErr == nil && statErr == nil && info.Size() == end {
		w.file.Truncate(end - int64(n))
	}
	return len(entry), nil
}

// forPeople is an error as stderr shows it. Several problems of a configuration
// get a line each, which editors can jump to.
func forPeople(err error) string {
	var problems spec.Problems
	if !errors.As(err, &problems) || len(problems) < 2 {
		return "rt: " + oneLine(err.Error()) + "\n"
	}
	context := strings.TrimSuffix(err.Error(), problems.Error())
	head := fmt.Sprintf("rt: %s%s has %d problems:\n", context, problems[0].File, len(problems))
	return head + strings.Join(problems.Lines(), "\n") + "\n"
}

func oneLine(text string) string {
	return strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "; ")
}
