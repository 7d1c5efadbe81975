package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func testExpander() expander {
	variables := map[string]string{"A": "a", "DOLLAR": "$A", "__env": "x", "EMPTY": ""}
	return expander{
		lookup: func(name string) (string, bool) { value, set := variables[name]; return value, set },
		readFile: func(path string) (string, error) {
			if path == "/f" {
				return " $A{ \n", nil
			}
			return "", errors.New("no such file")
		},
	}
}

func TestExpand(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "",
		"plain":               "plain",
		"$A":                  "a",
		"${A}":                "a",
		"$__env{A}":           "a",
		"x$A.y${A}z$__env{A}": "xa.yaza",
		"$A{b}":               "a{b}",
		"$$A":                 "$A",
		"$$$A":                "$a",
		"$$$$":                "$$",
		"$DOLLAR":             "$A",
		"$__file{/f}":         "$A{",
		"$__file{ /f }$A":     "$A{a",
		"$EMPTY|${EMPTY}":     "|",
		"$UNSET_|":            "|",
		"$1$-$ $.$":           "$1$-$ $.$",
		"$ü":                  "$ü",
		"$Aü":                 "aü",
		"$__env":              "x",
		"}{":                  "}{",
	} {
		got, unset, err := testExpander().expand(text)
		if err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
		if (len(unset) > 0) != strings.Contains(text, "UNSET") {
			t.Errorf("%q: unset %q", text, unset)
		}
	}
	for text, want := range map[string]string{
		"${A":           "has ${ without a }; a dollar is written $$",
		"$__file{/f":    "has $__file{ without a }; a dollar is written $$",
		"${}":           "has ${} with nothing in it",
		"$__env{ }":     "has $__env{} with nothing in it",
		"$__vault{a}":   "has $__vault{…}, want $__env{…}, $__file{…} or ${…}; a dollar is written $$",
		"$__file{/nil}": "$__file: no such file",
	} {
		if got, _, err := testExpander().expand(text); err == nil || err.Error() != want || got != "" {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func FuzzExpand(f *testing.F) {
	for _, text := range []string{"", "$", "$$", "$A", "${A}", "$__env{A}", "$__file{/f}", "${", "a$b{c}d", "$__", "$ü{"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e := testExpander()
		got, _, err := e.expand(text)
		if err == nil && !strings.Contains(text, "$") && got != text {
			t.Errorf("%q without a dollar became %q", text, got)
		}
		escaped, unset, err := e.expand(strings.ReplaceAll(text, "$", "$$"))
		if err != nil || escaped != text || len(unset) > 0 {
			t.Errorf("%q escaped became %q, %v", text, escaped, err)
		}
	})
}

// Aliases of aliases are counted, and end.
func TestBombs(t *testing.T) {
	nested := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 10; i++ {
		nested += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	for what, text := range map[string]string{
		"is nested too deep":           "datasources: [{name: a, type: x, jsonData: &j {a: *j, b: *j}}]",
		"jsonData: is nested too deep": "datasources: [{name: a, type: x, jsonData: &j {<<: [*j, *j]}}]",
		"has more than 1000000 values": nested + "datasources: [{name: a, type: x, jsonData: {a: *a9}}]",
	} {
		p := provisioning{expand: testExpander(), names: map[string]string{}, uids: map[string]string{}, apps: map[string]string{}}
		one := file{all: &p, document: newDocument("a.yaml", p.expand.expand)}
		one.read(one.parse([]byte("apiVersion: 1\n" + text)))
		if len(one.faults) != 1 || !strings.Contains(one.faults[0].Error(), what) {
			t.Errorf("%s: %d faults, first %.200v", what, len(one.faults), one.faults[:min(1, len(one.faults))])
		}
		if len(p.result.DataSources) > 0 {
			t.Errorf("%s: let a data source through", what)
		}
	}
}

func FuzzProvisioning(f *testing.F) {
	for _, text := range []string{
		"apiVersion: 1\ndatasources:\n- {name: a, type: x, jsonData: {a: [1, .5, ~]}}\n",
		"apiVersion: 1\ndatasources: [&a {name: a, type: x, <<: *a}]\n",
		"apiVersion: 1\ndatasources: [{name: a, type: x, jsonData: &j {a: *j, b: *j}}]\n",
		"apiVersion: 1\ndatasources: [{name: a, type: x, jsonData: {a: !!int '{}', b: !!bool '', c: !!float x, ? [1] : 2}}]\n",
		"apiVersion: 1\napps: [{type: x, secureJsonData: {a: $__env{A}}}]\n---\n",
		"{", "- a", "a: &a [*a, *a]", "\xff",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p := provisioning{expand: testExpander(), names: map[string]string{}, uids: map[string]string{}, apps: map[string]string{}}
		one := file{all: &p, document: newDocument("a.yaml", p.expand.expand)}
		one.read(one.parse(text))
		for _, d := range p.result.DataSources {
			if _, err := d.Clean(); err != nil {
				t.Errorf("let through what no store takes: %v", err)
			}
			if len(d.JSON) > 0 && !json.Valid(d.JSON) {
				t.Errorf("made JSON that is none: %s", d.JSON)
			}
		}
		for _, a := range p.result.Apps {
			if _, err := a.Clean(); err != nil {
				t.Errorf("let through what no store takes: %v", err)
			}
		}
	})
}
