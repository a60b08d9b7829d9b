package libns

import (
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// output keeps the beginning of what a program writes: enough for an error
// message, however much it is.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

// maxOutput is how many bytes of a hook's output an error shows.
const maxOutput = 4096

// Write takes everything and keeps the first bytes.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	room := maxOutput - o.text.Len()
	o.text.Write(p[:min(len(p), max(room, 0))])
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// record keeps the beginning of what a program writes, and appends all of it to
// a file if there is one. What the file does not take is lost: a full disk must
// not stop the program.
type record struct {
	output
	file *os.File
}

// newRecord opens the file, unless path is empty.
func newRecord(path string) (*record, error) {
	if path == "" {
		return &record{}, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return &record{file: file}, err
}

// Write takes everything.
func (r *record) Write(p []byte) (int, error) {
	if r.file != nil {
		_, _ = r.file.Write(p)
	}
	return r.output.Write(p)
}

func (r *record) close() {
	if r.file != nil {
		r.file.Close()
	}
}

// pipes are the stdio of a process that the runtime talks to.
type pipes struct {
	theirs, ours [3]*os.File
	input        []byte
	output       [2]io.Writer
	copying      sync.WaitGroup
}

// newPipes makes pipes for a process that reads input and writes to stdout and
// stderr.
func newPipes(input []byte, stdout, stderr io.Writer) (*pipes, error) {
	p := &pipes{input: input, output: [2]io.Writer{stdout, stderr}}
	for i := range p.ours {
		r, w, err := os.Pipe()
		if err != nil {
			p.close()
			return nil, err
		}
		p.theirs[i], p.ours[i] = w, r
		if i == 0 {
			p.theirs[i], p.ours[i] = r, w
		}
	}
	return p, nil
}

// files are the process's ends.
func (p *pipes) files() []*os.File { return p.theirs[:] }

// started gives the process's ends up and copies. A process that does not read
// its input is no error.
func (p *pipes) started() {
	for _, f := range p.theirs {
		f.Close()
	}
	go func() {
		_, _ = p.ours[0].Write(p.input)
		p.ours[0].Close()
	}()
	for i, to := range p.output {
		p.copying.Go(func() { _, _ = io.Copy(to, p.ours[i+1]) })
	}
}

// drain waits for the rest of the output. Somebody else may hold the other ends
// open: that is not waited for.
func (p *pipes) drain() {
	deadline := time.Now().Add(outputDelay)
	for _, f := range p.ours {
		_ = f.SetDeadline(deadline)
	}
	p.copying.Wait()
	for _, f := range p.ours {
		f.Close()
	}
}

func (p *pipes) close() {
	for i := range p.ours {
		if p.ours[i] != nil {
			p.ours[i].Close()
			p.theirs[i].Close()
		}
	}
}
