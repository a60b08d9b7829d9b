// Package stage makes the program that runs inside a container before the
// user's does: the init stage.
//
// It is an interpreter of a few hundred bytes (stage.c, the whole of what an
// auditor has to read), followed by the container side of a plan in a form that
// needs no parsing. [Assemble] puts the two together into a static ELF
// executable and [Seal] into a file that nobody can change any more, whose
// descriptor is then executed.
package stage

//go:generate go run generate.go

import "rt/libns/plan"

// The image, in the order of both the file and the addresses:
//
//	part       access  contents
//	text       r-x     ELF header, program headers, the interpreter
//	program    r--     program header, one record per call, constants
//	memory     rw-     initialised objects, head of the report
//	           rw-     not in the file: rest of the report, zeroed objects
//
// Parts begin at multiples of partAlign in the file, so that with the usual 4
// KiB pages none shares one with another. In memory each is a further
// addressStride away, which keeps them apart with 64 KiB pages too (arm64).
const (
	baseAddress   = 0x400000
	partAlign     = 0x1000
	addressStride = 0x10000

	textOffset    = elfHeaderSize + programHeaders*programHeaderSize
	textAddress   = baseAddress + textOffset
	programOffset = partAlign // text and headers fit into the first part

	// programAddress is where the interpreter expects the program
	// (PROGRAM in stage.c).
	programAddress = baseAddress + addressStride + programOffset

	// maxImage bounds the image, so that every address in it is a positive
	// 32-bit number and fits a record's argument.
	maxImage = 1 << 30
)

// The ELF64 headers of a static executable (elf(5)).
const (
	elfHeaderSize     = 64
	programHeaderSize = 56
	programHeaders    = 4
)

// The program starts with its head, in bytes:
//
//	 0  u32  address of the report
//	 4  u32  address of the word with the descriptor that it is sent to
//	 8       zero
//	64       records
const (
	headSize     = 64
	headReport   = 0
	headReportFD = 4
)

// A record is one call (struct call in stage.c), in bytes:
//
//	 0  6×i32  arguments: a value, or the address of the word that holds it
//	24  u32    address of the word for the result, or 0
//	28  u32    address of the word with an fs-context descriptor, or 0
//	32  i32    index of the call to go on with after success
//	36  u16    operation (plan.Op)
//	38  u8     bit n is set: argument n is an address to be read
//	39  u8     zero
//	40  4×u16  errors that are provided for; 0 = none
//	48  4×i32  index of the call to go on with after each; negative = fail
//
// A value that is no sign-extended 32-bit number is put into a constant and
// read from there.
const (
	recordSize     = 64
	recordArgs     = 0
	recordResult   = 24
	recordLog      = 28
	recordSuccess  = 32
	recordOp       = 36
	recordContents = 38
	recordErrors   = 40
	recordTargets  = 48
)

// failTarget in a record is [plan.Fail].
const failTarget = -1

// wordSize is the size of a result.
const wordSize = 8

// architecture is what images differ in from one machine to another.
type architecture struct {
	machine uint16 // in the ELF header
	text    string // the interpreter
	entry   int    // where in it execution starts
}

// reportHead is the part of the report that is in the file; the interpreter
// fills in the call and the error.
const reportHead = plan.MessageSize
