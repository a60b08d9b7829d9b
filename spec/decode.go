package spec

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

//go:generate go run ./internal/decodegen -o decode_spec.go

// decoder turns JSON into the types of specs-go. Which key goes where is said by
// decode_spec.go, which is generated from those types; how a value of each kind
// is read is said here.
//
// The result is that of encoding/json, which is not used because every start of
// rt would pay 1 to 2 ms for its look at the types. In particular, null leaves a
// value as it is, or makes it nil if it can be nil; and a key that comes twice is
// decoded twice, into the same value.
type decoder struct {
	scanner
	key   string // of the member that nextKey went to
	wrong []wrongType
}

// decode is the one place that knows how JSON becomes a Spec, whose strings may
// share the memory of text. If text is not JSON, or has values of the wrong type,
// it says so, and into is of no use.
func decode(text string, into *specs.Spec) (*syntaxError, []wrongType) {
	d := &decoder{scanner: scanner{text: text}}
	decodeSpec(d, into)
	d.end()
	return d.malformed, d.wrong
}

// enterObject prepares for nextKey. It is false if there is no object to enter.
func (d *decoder) enterObject() bool {
	entered, _ := d.enterAt('{', "an object")
	return entered
}

// enterAt enters an object or array if its bracket comes next. Anything else it
// reads, and tells whether that was null.
func (d *decoder) enterAt(bracket byte, wanted string) (entered, null bool) {
	if d.next() != bracket {
		return false, d.nullOrWrong(wanted)
	}
	d.enter()
	return true, false
}

// nextKey goes on to the next member of an object and puts its key into d.key.
func (d *decoder) nextKey() bool {
	key, ok := d.member()
	d.key = key
	return ok
}

// fold puts into d.key the first of names, which have a space between them, that
// differs from it in nothing but case. It is false if there is none.
func (d *decoder) fold(names string) bool {
	for name := range strings.SplitSeq(names, " ") {
		if strings.EqualFold(name, d.key) {
			d.key = name
			return true
		}
	}
	return false
}

// nullOrWrong reads a value that is not of the kind wanted. It is true for null,
// which is none of any kind, and remembers any other as wrong.
func (d *decoder) nullOrWrong(wanted string) bool {
	first := d.next()
	start := d.pos
	d.skip()
	if first == 'n' {
		return true
	}
	d.addWrong(wrongType{start, wanted, kindOf(first)})
	return false
}

func (d *decoder) atNull() bool { return d.next() == 'n' }

func (d *decoder) atNumber() bool {
	c := d.next()
	return c == '-' || isDigit(c)
}

// doesNotFit remembers a number, just read, that its field cannot hold.
func (d *decoder) doesNotFit(number, wanted string) {
	d.addWrong(wrongType{d.pos - len(number), wanted, number})
}

func decodeString[T ~string](d *decoder, v *T) {
	if d.next() != '"' {
		d.nullOrWrong("a string")
		return
	}
	*v = T(d.string())
}

func decodeBool(d *decoder, v *bool) {
	switch d.next() {
	case 't':
		d.literal("true")
		*v = true
	case 'f':
		d.literal("false")
		*v = false
	default:
		d.nullOrWrong("true or false")
	}
}

func decodeInt[T ~int | ~int8 | ~int16 | ~int32 | ~int64](d *decoder, v *T) {
	if !d.atNumber() {
		d.nullOrWrong(wantedInt[T]())
		return
	}
	number := d.number()
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || int64(T(n)) != n {
		d.doesNotFit(number, wantedInt[T]())
		return
	}
	*v = T(n)
}

func decodeUint[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](d *decoder, v *T) {
	if !d.atNumber() {
		d.nullOrWrong(wantedUint[T]())
		return
	}
	number := d.number()
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || uint64(T(n)) != n {
		d.doesNotFit(number, wantedUint[T]())
		return
	}
	*v = T(n)
}

func wantedInt[T any]() string {
	low := int64(-1) << (reflect.TypeFor[T]().Bits() - 1)
	return "an integer from " + strconv.FormatInt(low, 10) + " to " + strconv.FormatInt(^low, 10)
}

func wantedUint[T any]() string {
	high := ^uint64(0) >> (64 - reflect.TypeFor[T]().Bits())
	return "an integer from 0 to " + strconv.FormatUint(high, 10)
}

func decodePointer[T any](d *decoder, v **T, decodeTarget func(*decoder, *T)) {
	if d.atNull() {
		d.literal("null")
		*v = nil
		return
	}
	if *v == nil {
		*v = new(T)
	}
	decodeTarget(d, *v)
}

func decodeSlice[T any](d *decoder, v *[]T, decodeElement func(*decoder, *T)) {
	entered, null := d.enterAt('[', "an array")
	if null {
		*v = nil
	}
	if !entered {
		return
	}
	// An array that comes twice is decoded over the first one, element by
	// element, and what an earlier one left behind its end shows through.
	list, n := *v, 0
	for ; d.element(); n++ {
		if n == cap(list) {
			// Few steps: a process pays for the first use of each size of memory.
			list = slices.Grow(list, max(4, n))
		}
		list = list[:n+1]
		decodeElement(d, &list[n])
	}
	if n == 0 {
		list = []T{} // empty, and not nil
	}
	*v = list[:n]
}

func decodeMap[T any](d *decoder, v *map[string]T, decodeElement func(*decoder, *T)) {
	entered, null := d.enterAt('{', "an object")
	if null {
		*v = nil
	}
	if !entered {
		return
	}
	if *v == nil {
		*v = make(map[string]T)
	}
	var value, zero T
	for key, ok := d.member(); ok; key, ok = d.member() {
		value = zero
		decodeElement(d, &value)
		(*v)[key] = value
	}
}

// decodeAny is for what the specification leaves open. It makes the types that
// encoding/json makes: map[string]any, []any, string, float64, bool, or nil.
func decodeAny(d *decoder, v *any) {
	switch c := d.next(); c {
	case '{':
		decodeInto(d, v, func(d *decoder, v *map[string]any) { decodeMap(d, v, decodeAny) })
	case '[':
		decodeInto(d, v, func(d *decoder, v *[]any) { decodeSlice(d, v, decodeAny) })
	case '"':
		decodeInto(d, v, decodeString[string])
	case 't', 'f':
		decodeInto(d, v, decodeBool)
	case 'n':
		d.literal("null")
		*v = nil
	default:
		decodeInto(d, v, decodeFloat)
	}
}

// decodeInto stores a value of a type that the text decides.
func decodeInto[T any](d *decoder, v *any, decodeValue func(*decoder, *T)) {
	var value T
	decodeValue(d, &value)
	*v = value
}

func decodeFloat(d *decoder, v *float64) {
	const wanted = "a number that fits in 64 bits"
	if !d.atNumber() {
		d.nullOrWrong(wanted)
		return
	}
	number := d.number()
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		d.doesNotFit(number, wanted)
		return
	}
	*v = n
}
