package seccomp

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// key is a hash of everything that a filter depends on.
type key [sha256.Size]byte

// cacheVersion is part of every key. It has to change whenever the same profile
// comes to mean another filter, which a test watches over.
const cacheVersion = 1

func newKey(profile *specs.LinuxSeccomp, native Arch, options Options) key {
	h := hasher{buffer: make([]byte, 0, 16<<10)}
	h.number(cacheVersion)
	h.string(native.String())
	h.number(uint64(options.KernelFlags))
	h.string(string(profile.DefaultAction))
	h.optional(profile.DefaultErrnoRet)
	h.number(uint64(len(profile.Architectures)))
	for _, arch := range profile.Architectures {
		h.string(string(arch))
	}
	h.bool(profile.Flags == nil) // an empty list means something else
	h.number(uint64(len(profile.Flags)))
	for _, flag := range profile.Flags {
		h.string(string(flag))
	}
	h.number(uint64(len(profile.Syscalls)))
	for i := range profile.Syscalls {
		h.entry(&profile.Syscalls[i])
	}
	return sha256.Sum256(h.buffer)
}

// hasher collects what is hashed, such that no two profiles give the same bytes.
type hasher struct{ buffer []byte }

func (h *hasher) number(n uint64) { h.buffer = binary.AppendUvarint(h.buffer, n) }

func (h *hasher) string(s string) {
	h.number(uint64(len(s)))
	h.buffer = append(h.buffer, s...)
}

func (h *hasher) bool(b bool) {
	if b {
		h.number(1)
	} else {
		h.number(0)
	}
}

func (h *hasher) optional(n *uint) {
	h.bool(n != nil)
	if n != nil {
		h.number(uint64(*n))
	}
}

func (h *hasher) entry(entry *specs.LinuxSyscall) {
	h.number(uint64(len(entry.Names)))
	for _, name := range entry.Names {
		h.string(name)
	}
	h.string(string(entry.Action))
	h.optional(entry.ErrnoRet)
	h.number(uint64(len(entry.Args)))
	for _, arg := range entry.Args {
		h.number(uint64(arg.Index))
		h.number(arg.Value)
		h.number(arg.ValueTwo)
		h.string(string(arg.Op))
	}
}

// A file of the cache: the magic, the flags, whether there is a listener, how many
// architectures, the architectures, the program, and a hash of all that and of the
// key, by which a file under another's name is recognized. Numbers are
// little-endian.
const (
	magic      = "rtscmp"
	headerSize = len(magic) + 2 + 1 + 1
	maxEncoded = int64(headerSize + len(abis) + instructionSize*maxProgram + sha256.Size)
)

var (
	errDamaged = errors.New("a cached filter is damaged")
	errForeign = errors.New("the cache of filters is not the runtime's own")
)

func encode(k key, f *Filter) []byte {
	h := hasher{buffer: []byte(magic)}
	h.buffer = binary.LittleEndian.AppendUint16(h.buffer, uint16(f.Flags))
	h.bool(f.Notify)
	h.buffer = append(h.buffer, byte(len(f.Archs)))
	for _, a := range f.Archs {
		h.buffer = append(h.buffer, byte(a))
	}
	h.buffer = appendProgram(h.buffer, binary.LittleEndian, f.Program)
	sum := sum(k, h.buffer)
	return append(h.buffer, sum[:]...)
}

func decode(k key, file []byte) (*Filter, error) {
	if len(file) < headerSize+sha256.Size {
		return nil, errDamaged
	}
	content, stored := file[:len(file)-sha256.Size], file[len(file)-sha256.Size:]
	sum := sum(k, content)
	archs := int(content[headerSize-1])
	if !bytes.Equal(sum[:], stored) || string(content[:len(magic)]) != magic || archs == 0 || len(content) < headerSize+archs {
		return nil, errDamaged
	}
	f := &Filter{
		Flags:  uint(binary.LittleEndian.Uint16(content[len(magic):])),
		Notify: content[headerSize-2] != 0,
	}
	for _, a := range content[headerSize : headerSize+archs] {
		if int(a) >= len(abis) {
			return nil, errDamaged
		}
		f.Archs = append(f.Archs, Arch(a))
	}
	program := content[headerSize+archs:]
	if len(program) == 0 || len(program)%instructionSize != 0 {
		return nil, errDamaged
	}
	f.Program = make([]unix.SockFilter, len(program)/instructionSize)
	for i := range f.Program {
		f.Program[i] = instructionAt(binary.LittleEndian, program[i*instructionSize:])
	}
	return f, nil
}

func sum(k key, content []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(k[:])
	h.Write(content)
	return [sha256.Size]byte(h.Sum(nil))
}
