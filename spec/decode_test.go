package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// checkDecode compares decode with encoding/json, which it must agree with about
// every text: whether it is JSON, whether it fits the types, and what it means.
func checkDecode(t testing.TB, text string) {
	t.Helper()
	var want, got specs.Spec
	err := json.Unmarshal([]byte(text), &want)
	malformed, wrong := decode(text, &got)
	var (
		syntax *json.SyntaxError
		typing *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &syntax):
		if malformed == nil {
			t.Errorf("%.200q: accepted, but %v", text, err)
		}
	case malformed != nil:
		t.Errorf("%.200q: refused: %s at byte %d", text, malformed.text, malformed.offset)
	case errors.As(err, &typing):
		checkWrongType(t, text, wrong, typing)
	case err != nil:
		t.Errorf("%.200q: %v", text, err)
	case len(wrong) > 0:
		t.Errorf("%.200q: refused: %+v", text, wrong)
	case !reflect.DeepEqual(got, want):
		t.Errorf("%.200q: got\n\t%s\nwant\n\t%s", text, dump(t, got), dump(t, want))
	}
}

// checkWrongType compares the first value of the wrong type with the only one
// that encoding/json tells about.
func checkWrongType(t testing.TB, text string, wrong []wrongType, want *json.UnmarshalTypeError) {
	t.Helper()
	if len(wrong) == 0 {
		t.Errorf("%.200q: accepted, but %v", text, want)
		return
	}
	// encoding/json counts up to the end of a plain value, to the bracket of an
	// object or array, and one byte more for a number too large for a float64.
	rest := &scanner{text: text, pos: wrong[0].offset}
	if c := rest.next(); c == '{' || c == '[' {
		rest.enter()
	} else {
		rest.skip()
	}
	if want.Type.Kind() == reflect.Float64 {
		rest.pos++
	}
	if rest.pos != int(want.Offset) {
		t.Errorf("%.200q: got %+v, want offset %d: %v", text, wrong[0], want.Offset, want)
	}
}

func dump(t testing.TB, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// corners are texts that a decoder may well get wrong, by subject.
var corners = map[string][]string{
	"null": {
		`null`, ` null `, `{"hostname":null}`, `{"process":null}`, `{"mounts":null}`, `{"mounts":[null]}`, `{"annotations":null}`,
		`{"annotations":{"a":null}}`, `{"process":{"user":null,"oomScoreAdj":null,"terminal":null,"args":[null,"a",null]}}`,
		`{"process":{"user":{"uid":null}}}`, `{"windows":{"credentialSpec":null}}`, `{"unknown":null}`,
		`{"hostname":"a","hostname":null}`, `{"process":{"cwd":"/"},"process":null}`, `{"mounts":[{}],"mounts":null}`,
		`{"annotations":{"a":"b"},"annotations":null}`, `{"linux":{"netDevices":{"a":null}}}`,
	},
	"empty": {
		``, ` `, `{}`, `[]`, `{"mounts":[]}`, `{"annotations":{}}`, `{"process":{}}`, `{"":1}`, `{"annotations":{"":""}}`, `{"hostname":""}`,
	},
	"keys that come twice": {
		`{"hostname":"a","hostname":"b"}`, `{"process":{"cwd":"/","args":["a"]},"process":{"terminal":true}}`,
		`{"mounts":[{"destination":"/a","source":"s"},{"destination":"/b"}],"mounts":[{"source":"t"}]}`,
		`{"mounts":[{"destination":"/a"},{"destination":"/b"}],"mounts":[{}],"mounts":[{},{},{}]}`,
		`{"mounts":[{"destination":"/a"}],"mounts":[],"mounts":[{}]}`,
		`{"process":{"args":["a","b","c"]},"process":{"args":[null]},"process":{"args":[null,null,null,null]}}`,
		`{"annotations":{"a":"1","b":"2"},"annotations":{"b":"3","c":"4"}}`, `{"annotations":{"a":"1","a":null}}`,
		`{"linux":{"timeOffsets":{"a":{"secs":1},"a":{"nanosecs":2}}}}`, `{"process":{"oomScoreAdj":1,"oomScoreAdj":2}}`,
		`{"windows":{"credentialSpec":{"a":1},"credentialSpec":{"b":2}}}`, `{"Hostname":"a","hostname":"b"}`, `{"hostname":"a","HOSTNAME":"b"}`,
	},
	"case of keys": {
		`{"OCIVERSION":"1"}`, `{"OciVersion":"1","Process":{"User":{"UID":1,"gId":2}}}`, `{"hostnamE":"a"}`, `{"hostname ":"a"}`,
		`{"ho\u0073tname":"a"}`, `{"HO\u0053TNAME":"a"}`, "{\"ho\u017ftname\":\"a\"}", "{\"linux\":{\"networ\u212a\":1,\"net\u212aevices\":{}}}",
		"{\"linux\":{\"ma\u017f\u212aedPaths\":[\"a\"]}}", "{\"process\":{\"cap\u0130\":1}}", "{\"ho\xffstname\":\"a\"}",
		`{"linux":{"blockIO":{},"resources":{"BlockIO":{"WeightDevice":[{"MAJOR":1,"LeafWeight":2}]}}}}`,
	},
	"strings": {
		`{"hostname":"\"\\\/\b\f\n\r\t"}`, `{"hostname":"\u0000\u0041\u00e9\u20ac\uFFFF\uabCD"}`, `{"hostname":"\ud83d\ude00"}`, `{"hostname":"\ud83d"}`,
		`{"hostname":"\ude00"}`, `{"hostname":"\ud83dx"}`, `{"hostname":"\ud83d\n"}`, `{"hostname":"\ud83d\u0041"}`, `{"hostname":"\ud83d\ud83d\ude00"}`,
		`{"hostname":"\ude00\ud83d"}`, `{"hostname":"\uDBFF\uDFFF"}`, `{"hostname":"ünï©ode 😀 中"}`, "{\"hostname\":\"\xff\"}", "{\"hostname\":\"a\xc3\"}",
		"{\"hostname\":\"\xed\xa0\x80\"}", "{\"hostname\":\"\xf0\x9f\x98\"}", "{\"hostname\":\"\xc0\x80\\n\xfe\"}", "{\"hostname\":\"\ufffd\"}", "{\"hostname\":\"\u2028\x7f\"}",
		"{\"annotations\":{\"\xff\":\"1\",\"\xfe\":\"2\"}}", `{"annotations":{"\u0061":"1","a":"2"}}`, "{\"hostname\":\"\x00\"}", "{\"hostname\":\"\x1f\"}", "{\"hostname\":\"a\nb\"}",
		`{"hostname":"\x41"}`, `{"hostname":"\'"}`, `{"hostname":'a'}`, `{"hostname":"\u12"}`, `{"hostname":"\u123g"}`, `{"hostname":"\U0041"}`, `{"hostname":"`,
		`{"hostname":"\`, `{"hostname":"\u`, `{"hostname":"\u00`, `{"hostname":"\"`, `{"hostname":"\\"}`, `{"hostname":"a""b"}`, `{"hostname":"` + strings.Repeat(`\n`, 1000) + `"}`,
	},
	"numbers": {
		`{"process":{"user":{"uid":0,"gid":4294967295}}}`, `{"process":{"user":{"uid":4294967296}}}`, `{"process":{"user":{"uid":-0}}}`, `{"process":{"user":{"uid":-1}}}`,
		`{"process":{"user":{"uid":1.0}}}`, `{"process":{"user":{"uid":1e2}}}`, `{"process":{"user":{"uid":1E+2}}}`, `{"process":{"user":{"additionalGids":[1,2,null,3]}}}`,
		`{"process":{"rlimits":[{"hard":18446744073709551615,"soft":18446744073709551616}]}}`, `{"process":{"rlimits":[{"hard":18446744073709551615}]}}`,
		`{"process":{"oomScoreAdj":-0}}`, `{"process":{"oomScoreAdj":-9223372036854775808}}`, `{"process":{"oomScoreAdj":-9223372036854775809}}`,
		`{"process":{"oomScoreAdj":9223372036854775807}}`, `{"process":{"oomScoreAdj":9223372036854775808}}`, `{"process":{"scheduler":{"nice":-2147483648,"priority":2147483647}}}`,
		`{"process":{"scheduler":{"nice":-2147483649}}}`, `{"process":{"scheduler":{"nice":2147483648}}}`, `{"linux":{"resources":{"blockIO":{"weight":65535}}}}`,
		`{"linux":{"resources":{"blockIO":{"weight":65536}}}}`, `{"linux":{"devices":[{"fileMode":438}]}}`, `{"linux":{"devices":[{"fileMode":4294967296}]}}`,
		`{"process":{"oomScoreAdj":00}}`, `{"process":{"oomScoreAdj":01}}`, `{"process":{"oomScoreAdj":+1}}`, `{"process":{"oomScoreAdj":-}}`, `{"process":{"oomScoreAdj":.5}}`,
		`{"process":{"oomScoreAdj":1.}}`, `{"process":{"oomScoreAdj":1.e1}}`, `{"process":{"oomScoreAdj":1e}}`, `{"process":{"oomScoreAdj":1e+}}`, `{"process":{"oomScoreAdj":0x1}}`,
		`{"process":{"oomScoreAdj":1_0}}`, `{"process":{"oomScoreAdj":-01}}`, `{"process":{"oomScoreAdj":Infinity}}`, `{"process":{"oomScoreAdj":NaN}}`, `{"process":{"oomScoreAdj":"1"}}`,
		`{"process":{"oomScoreAdj":` + strings.Repeat("9", 1000) + `}}`, `{"unknown":` + strings.Repeat("9", 1000) + `e99999}`, `1`, `-`, `-1 `, `0`, `00`, `1e5`, `[01]`,
	},
	"wrong types": {
		`1`, `"a"`, `true`, `false`, `[]`, `[{}]`, `{"hostname":1}`, `{"hostname":true}`, `{"hostname":[]}`, `{"hostname":{"a":[{}]}}`, `{"process":[]}`, `{"process":"a"}`,
		`{"mounts":{}}`, `{"mounts":[[]]}`, `{"mounts":"a"}`, `{"annotations":[]}`, `{"annotations":{"a":1}}`, `{"root":{"readonly":1}}`, `{"root":{"readonly":"true"}}`,
		`{"process":{"user":{"uid":"0"}}}`, `{"process":{"user":{"uid":[]}}}`, `{"process":{"user":{"uid":{}}}}`, `{"process":{"oomScoreAdj":{}}}`, `{"hostname":1,"root":2}`,
		`{"hostname":1,"root":}`, `{"mounts":[1,{"destination":2},"3"]}`, `{"linux":{"netDevices":{"a":1}}}`, `{"solaris":1}`, `{"vm":{"image":[]}}`,
	},
	"values left open": {
		`{"windows":{"credentialSpec":1}}`, `{"windows":{"credentialSpec":-1.5e3}}`, `{"windows":{"credentialSpec":1e999}}`, `{"windows":{"credentialSpec":[-1e999]}}`,
		`{"windows":{"credentialSpec":"a\n"}}`, `{"windows":{"credentialSpec":true}}`, `{"windows":{"credentialSpec":false}}`, `{"windows":{"credentialSpec":[]}}`,
		`{"windows":{"credentialSpec":{}}}`, `{"windows":{"credentialSpec":{"a":[null,1,"b",{"c":false}],"a":2}}}`, `{"windows":{"credentialSpec":[}}`, `{"windows":{"credentialSpec":x}}`,
	},
	"structure": {
		`{`, `}`, `[`, `]`, `{]`, `[}`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,}`, `{"a" "b"}`, `{"a":1 "b":2}`, `{"a":1;}`, `{a:1}`, `{1:1}`, `{"a":1}}`, `{}{}`, `{} x`,
		`{} ` + "\n\t\r", "\ufeff{}", `{"a":[1 2]}`, `{"a":[1,]}`, `{"a":[,1]}`, `{"a":[1,,2]}`, `{"a":[}`, `{"a":{]}`, `{"a":tru}`, `{"a":truE}`, `{"a":True}`, `{"a":nul}`, `{"a":fals`,
		`{"a":falsee}`, `t`, `tr`, `n`, `{"a":}`, `{"a":/**/1}`, `{"a":1} // b`, `nullx`, `null null`, "{}\x00", "\x00", "{\v}", "{\u00a0}", `{"mounts":[{}{}]}`, `{"mounts":[{},]}`, `{"mounts":[`,
		`{"mounts":[{"options":["a"`, `{"annotations":{"a":"b"`, `{"annotations":{"a":"b",}}`, `{"annotations":{"a"}}`,
	},
	"depth": {
		deep(9999), deep(10000), deep(10001), `{"windows":{"credentialSpec":` + deep(9998) + `}}`, `{"windows":{"credentialSpec":` + deep(9999) + `}}`,
		`{"hostname":` + deep(9999) + `}`, `{"hostname":` + deep(10000) + `}`, strings.Repeat(`{"a":`, 10000), strings.Repeat(`{"a":`, 10001), strings.Repeat("[", 20000),
	},
}

// deep is an array in an array in an array.
func deep(depth int) string {
	return strings.Repeat("[", depth) + strings.Repeat("]", depth)
}

func TestDecodeCorners(t *testing.T) {
	for subject, texts := range corners {
		t.Run(subject, func(t *testing.T) {
			for _, text := range texts {
				checkDecode(t, text)
			}
		})
	}
}

func TestDecodeEveryField(t *testing.T) {
	text := everyField(t)
	checkDecode(t, text)
	var got specs.Spec
	if malformed, wrong := decode(text, &got); malformed != nil || wrong != nil {
		t.Fatal(malformed, wrong)
	}
	if again := dump(t, got); again != text {
		t.Errorf("got\n\t%s\nwant\n\t%s", again, text)
	}
}

// everyField is a configuration that sets each field of each type.
func everyField(t testing.TB) string {
	t.Helper()
	var spec specs.Spec
	count := 0
	fill(t, reflect.ValueOf(&spec).Elem(), &count)
	return dump(t, spec)
}

// fill sets a value, and all that is in it, to something different each time.
func fill(t testing.TB, v reflect.Value, count *int) {
	t.Helper()
	*count++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), count)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), count)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), count)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		value := reflect.New(v.Type().Elem()).Elem()
		fill(t, value, count)
		v.SetMapIndex(reflect.ValueOf(fmt.Sprint("key ", *count)), value)
	case reflect.String:
		v.SetString(fmt.Sprint("value ", *count))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(-*count))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*count))
	case reflect.Interface:
		v.Set(reflect.ValueOf(map[string]any{"any": []any{float64(*count), "b", false, nil}}))
	default:
		t.Fatalf("cannot fill %s", v.Type())
	}
}

// Each value of a configuration that has them all gives way to a value of every
// other type; each key, to the same in another case.
func TestDecodeOtherValues(t *testing.T) {
	others := []string{"null", "true", "-1", "1.5", "70000", "1e30", `"x"`, "[]", "[null]", "{}", `{"x":1}`, ""}
	text := everyField(t)
	s := &source{text: text}
	s.build()
	walk(s.root, func(n *node) {
		before, value, after := text[:n.mark], text[n.start:n.end], text[n.end:]
		key := text[n.mark:n.start]
		for _, other := range others {
			checkDecode(t, before+key+other+after)
		}
		if key != "" {
			checkDecode(t, before+strings.ToUpper(key)+value+after)
			checkDecode(t, before+strings.ToLower(key)+value+after)
		}
	})
}

func walk(n *node, visit func(*node)) {
	visit(n)
	for _, child := range n.children {
		walk(child, visit)
	}
}

// Each configuration is cut off, and spoiled in two ways, at places all over it.
func TestDecodeDamagedText(t *testing.T) {
	const damage = "\"\\{}[],:0-.e tfn\n\x00\x80\xff"
	spoil := func(i int) string { return damage[i%len(damage):][:1] }
	for _, text := range append(planConfigs(t), everyField(t)) {
		step := 1 + len(text)/500
		for i := 0; i < len(text); i += step {
			checkDecode(t, text[:i])
			checkDecode(t, text[:i]+spoil(i)+text[i+1:])
			checkDecode(t, text[:i]+spoil(i+7)+text[i:])
		}
	}
}

// planConfigs are the configurations that plans are tested with.
func planConfigs(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../libns/plan/testdata/*/config.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no configurations found: ", err)
	}
	seen := map[string]bool{}
	var texts []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(data); !seen[text] {
			seen[text] = true
			texts = append(texts, text)
		}
	}
	return texts
}

func TestSyntaxErrors(t *testing.T) {
	for _, test := range []struct {
		text   string
		offset int
		want   string
	}{
		{``, 0, "unexpected end of JSON input"},
		{`{"a":1} `, 8, ""},
		{`{"a": x}`, 6, "invalid character 'x' looking for beginning of value"},
		{`[1,]`, 3, "invalid character ']' looking for beginning of value"},
		{`{x`, 1, "invalid character 'x' looking for beginning of object key string"},
		{`{"a":1,}`, 7, "invalid character '}' looking for beginning of object key string"},
		{`{"a";1}`, 4, "invalid character ';' after object key"},
		{`{"a":1]`, 6, "invalid character ']' after object key:value pair"},
		{`[1 2]`, 3, "invalid character '2' after array element"},
		{`{} 'a'`, 3, `invalid character '\'' after top-level value`},
		{"\"a\nb\"", 2, `invalid character '\n' in string literal`},
		{`"\"\x"`, 4, "invalid character 'x' in string escape code"},
		{`"\u00G0"`, 5, `invalid character 'G' in \u hexadecimal character escape`},
		{`-a`, 1, "invalid character 'a' in numeric literal"},
		{`1.a`, 2, "invalid character 'a' after decimal point in numeric literal"},
		{`1e+"`, 3, `invalid character '"' in exponent of numeric literal`},
		{`tRue`, 1, "invalid character 'R' in literal true (expecting 'r')"},
		{`falsE`, 4, "invalid character 'E' in literal false (expecting 'e')"},
		{`nu1l`, 2, "invalid character '1' in literal null (expecting 'l')"},
		{"\xff", 0, "invalid character 'ÿ' looking for beginning of value"},
		{"[\x00]", 1, `invalid character '\x00' looking for beginning of value`},
		{strings.Repeat("[", 10001), 10000, "invalid character '[' exceeded max depth"},

		// Whatever it is that stops short, the text has ended.
		{`{"a`, 3, "unexpected end of JSON input"},
		{`{"a"`, 4, "unexpected end of JSON input"},
		{`{"a":`, 5, "unexpected end of JSON input"},
		{`{"a":1`, 6, "unexpected end of JSON input"},
		{`{"a":1,`, 7, "unexpected end of JSON input"},
		{`[`, 1, "unexpected end of JSON input"},
		{`"\`, 2, "unexpected end of JSON input"},
		{`"\u0`, 4, "unexpected end of JSON input"},
		{`-`, 1, "unexpected end of JSON input"},
		{`1e`, 2, "unexpected end of JSON input"},
		{`tru`, 3, "unexpected end of JSON input"},
	} {
		s := &scanner{text: test.text}
		s.skip()
		s.end()
		var got syntaxError
		if s.malformed != nil {
			got = *s.malformed
		} else if s.pos != test.offset || s.depth != 0 {
			t.Errorf("%.20q: ends at %d, depth %d", test.text, s.pos, s.depth)
		}
		if got.text != test.want || got.text != "" && got.offset != test.offset {
			t.Errorf("%.20q: got %+v, want %s at %d", test.text, got, test.want, test.offset)
		}
	}
}

func TestAllWrongTypesAreReported(t *testing.T) {
	_, err := Parse([]byte(`{
		"hostname": 7,
		"process": {
			"args": "sh",
			"user": {"uid": -1, "gid": 2.5},
			"env": ["A=1", {"B": []}, null, false]
		},
		"mounts": {"destination": 1},
		"annotations": {"a.b": []}
	}`), "/b", "")
	want := []string{
		`config.json:2: hostname: must be a string, got a number`,
		`config.json:4: process.args: must be an array, got a string`,
		`config.json:5: process.user.uid: must be an integer from 0 to 4294967295, got -1`,
		`config.json:5: process.user.gid: must be an integer from 0 to 4294967295, got 2.5`,
		`config.json:6: process.env[1]: must be a string, got an object`,
		`config.json:6: process.env[3]: must be a string, got true or false`,
		`config.json:8: mounts: must be an array, got an object`,
		`config.json:9: annotations["a.b"]: must be a string, got an array`,
	}
	var problems Problems
	if !errors.As(err, &problems) {
		t.Fatalf("got %v", err)
	}
	if got := problems.Lines(); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestManyWrongTypesAreNotReported(t *testing.T) {
	text := `{"mounts":[` + strings.Repeat("1,", 10_000) + `1]}`
	_, err := Parse([]byte(text), "/b", "")
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != maxWrongTypes {
		t.Errorf("got %d problems", len(problems))
	}
}

func TestMalformedTextHidesWrongTypes(t *testing.T) {
	_, err := Parse([]byte("{\"hostname\": 1,\n]"), "/b", "")
	if want := "config.json:2:1: malformed JSON: invalid character ']' looking for beginning of object key string"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// FuzzDecodeAgainstEncodingJSON holds that the two agree about every text.
func FuzzDecodeAgainstEncodingJSON(f *testing.F) {
	for _, text := range append(append(planConfigs(f), seeds(f)...), everyField(f)) {
		f.Add(text)
	}
	for _, texts := range corners {
		for _, text := range texts {
			if len(text) < 4096 {
				f.Add(text)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) { checkDecode(t, text) })
}
