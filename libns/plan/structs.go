package plan

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// The kernel's structures, laid out by hand: all of them are little endian on
// the architectures that rt runs on.

// openHow is struct open_how of openat2(2).
func openHow(flags, mode, resolve uint64) []byte {
	b := make([]byte, 0, sizeofOpenHow)
	b = binary.LittleEndian.AppendUint64(b, flags)
	b = binary.LittleEndian.AppendUint64(b, mode)
	return binary.LittleEndian.AppendUint64(b, resolve)
}

const sizeofOpenHow = 24

// mountAttr is struct mount_attr of mount_setattr(2).
func mountAttr(set, clear, propagation uint64) []byte {
	b := make([]byte, 0, sizeofMountAttr)
	b = binary.LittleEndian.AppendUint64(b, set)
	b = binary.LittleEndian.AppendUint64(b, clear)
	b = binary.LittleEndian.AppendUint64(b, propagation)
	return binary.LittleEndian.AppendUint64(b, 0)
}

const sizeofMountAttr = 32

// sizeofStatfs is the size of struct statfs (statfs(2)); its first word is the
// magic number of the file system.
const sizeofStatfs = 120

const (
	statfsFlags       = 80     // place of the mount's flags (ST_*) in struct statfs
	statfsNoSymfollow = 0x2000 // ST_NOSYMFOLLOW, Linux 5.10
)

// Places in struct statx (statx(2)) that are tested as 64-bit words.
const (
	sizeofStatx  = 256
	statxGIDMode = 24  // gid in the low half, mode above it
	statxMode    = 28  // mode in the low 16 bits
	statxRdev    = 128 // major in the low half, minor above it
)

// fileType tests the file type (S_IF*) in a statx buffer.
func (b *builder) fileType(stat Ref, want uint32, errno unix.Errno) callBuilder {
	return b.call(OpIs, load(stat.At(statxGIDMode)), imm(uint64(unix.S_IFMT)<<32), imm(uint64(want)<<32), imm(errno))
}

// rdev tests the device number in a statx buffer.
func (b *builder) rdev(stat Ref, major, minor uint32, errno unix.Errno) callBuilder {
	return b.call(OpIs, load(stat.At(statxRdev)), imm(^uint64(0)), imm(uint64(major)|uint64(minor)<<32), imm(errno))
}

// stat fills the shared statx buffer for the file that fd refers to.
func (b *builder) stat(fd Arg) Ref {
	stat := b.buffer("stat", sizeofStatx)
	b.call(unix.SYS_STATX, fd, b.str(""), imm(unix.AT_EMPTY_PATH), imm(unix.STATX_BASIC_STATS), addr(stat))
	return stat
}
