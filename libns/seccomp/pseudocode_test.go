package seccomp

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// pseudocode is a filter as libseccomp prints it for people: its rules, merged, but
// not yet turned into instructions. It is by architecture and number.
type pseudocode map[Arch]map[uint32][]statement

// statement is a test, with what to do if it holds and if not, or an answer. A
// block that comes to no answer goes on with what follows it.
type statement struct {
	isAnswer bool
	answer   answer
	operator string
	value    uint32
	mask     uint32
	word     int // index in machine.words
	yes, no  []statement
}

// interpret gives the answer of a block, and false if it comes to none.
func (m *machine) interpret(block []statement) (answer, bool) {
	for i := range block {
		s := &block[i]
		if s.isAnswer {
			return s.answer, true
		}
		branch := s.no
		if word := m.words[s.word] & s.mask; s.operator == "==" && word == s.value || s.operator == ">" && word > s.value || s.operator == ">=" && word >= s.value {
			branch = s.yes
		}
		if answer, ok := m.interpret(branch); ok {
			return answer, true
		}
	}
	return 0, false
}

// pseudocodeParser reads pseudo code, whose blocks are told by their indentation.
type pseudocodeParser struct {
	lines []string
	big   bool
}

func parsePseudocode(text string, big bool) (pseudocode, error) {
	const call = "if ($syscall == "
	code := pseudocode{}
	p := &pseudocodeParser{lines: strings.Split(text, "\n"), big: big}
	var calls map[uint32][]statement
	for len(p.lines) > 0 {
		line := strings.TrimSpace(p.lines[0])
		p.lines = p.lines[1:]
		switch {
		case strings.HasPrefix(line, "# filter for arch "):
			arch, ok := ParseArch(specs.Arch("SCMP_ARCH_" + strings.ToUpper(strings.Fields(line)[4])))
			if !ok {
				return nil, fmt.Errorf("%q", line)
			}
			calls = map[uint32][]statement{}
			code[arch] = calls
		case strings.HasPrefix(line, call):
			number, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(line, call), ")"), 10, 32)
			if err != nil {
				return nil, err
			}
			if calls[uint32(number)], err = p.block(2); err != nil {
				return nil, err
			}
		}
	}
	return code, nil
}

func (p *pseudocodeParser) block(level int) ([]statement, error) {
	indentation := strings.Repeat("  ", level)
	var block []statement
	for len(p.lines) > 0 {
		line, ok := strings.CutPrefix(p.lines[0], indentation)
		if !ok || !strings.HasPrefix(line, "if ") && !strings.HasPrefix(line, "action ") {
			break
		}
		p.lines = p.lines[1:]
		s, err := p.statement(line)
		if err == nil && !s.isAnswer {
			s.yes, err = p.block(level + 1)
		}
		if err == nil && len(p.lines) > 0 && p.lines[0] == indentation+"else" {
			p.lines = p.lines[1:]
			s.no, err = p.block(level + 1)
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		block = append(block, s)
	}
	return block, nil
}

// statement reads "action ALLOW;" or "if ($a1.hi32 & 0x00000001 == 5)".
func (p *pseudocodeParser) statement(line string) (statement, error) {
	if action, ok := strings.CutPrefix(line, "action "); ok {
		answer, err := parsePseudoAction(strings.TrimSuffix(action, ";"))
		return statement{isAnswer: true, answer: answer}, err
	}
	fields := strings.Fields(strings.Trim(strings.TrimPrefix(line, "if"), " ()"))
	mask := uint64(fullMask)
	if len(fields) == 5 && fields[1] == "&" {
		var err error
		if mask, err = strconv.ParseUint(fields[2], 0, 32); err != nil {
			return statement{}, err
		}
		fields = append(fields[:1], fields[3:]...)
	}
	if len(fields) != 3 {
		return statement{}, fmt.Errorf("%d fields", len(fields))
	}
	name, half, _ := strings.Cut(fields[0], ".")
	argument, err := strconv.Atoi(strings.TrimPrefix(name, "$a"))
	if err != nil {
		return statement{}, err
	}
	value, err := strconv.ParseUint(fields[2], 10, 32)
	s := statement{operator: fields[1], value: uint32(value), mask: uint32(mask), word: 4 + 2*argument}
	if (half == "hi32") != p.big {
		s.word++
	}
	return s, err
}

func parsePseudoAction(action string) (answer, error) {
	for name, known := range map[string]specs.LinuxSeccompAction{
		"KILL_PROCESS": specs.ActKillProcess, "KILL": specs.ActKillThread, "TRAP": specs.ActTrap, "LOG": specs.ActLog, "ALLOW": specs.ActAllow,
	} {
		if name == action {
			return newAnswer(known, nil)
		}
	}
	name, data, found := strings.Cut(strings.TrimSuffix(action, ")"), "(")
	if !found { // no name for NOTIFY
		value, err := strconv.ParseUint(action, 0, 32)
		return answer(value), err
	}
	value, err := strconv.ParseUint(data, 10, 16)
	if err != nil {
		return 0, err
	}
	errno := uint(value)
	return newAnswer(specs.LinuxSeccompAction("SCMP_ACT_"+name), &errno)
}
