package sqlframe

import (
	"strings"
	"testing"
)

// TestWithinQuotes checks what becomes of a macro whose value has quotes where
// it is used in quotes, or beside what would join it.
func TestWithinQuotes(t *testing.T) {
	for _, test := range []struct {
		dialect            Dialect
		query, value, want string
	}{
		{PostgreSQL, "'$__value()'", "x'; DROP TABLE t --", `'''x''''; DROP TABLE t --'''`},
		{PostgreSQL, `'$__value()'`, `\' OR 1=1 --`, `' E''\\'''' OR 1=1 --'''`},
		{PostgreSQL, `E'$__value()'`, `\' OR 1=1 --`, `E' E''\\\\'''' OR 1=1 --'''`},
		{PostgreSQL, `"$__value()"`, `a"b`, `"'a""b'"`},
		{PostgreSQL, "$q$ $__value() $q$", "it's", "$q$ 'it''s' $q$"},
		{PostgreSQL, "'x'$__value()'y'", "v", "'x' 'v' 'y'"},
		{PostgreSQL, "E$__value()", "v", "E 'v'"},
		{PostgreSQL, "1 -$__minus() -1", "", "1 - -1 -1"},
		{PostgreSQL, "1 /$__star()", "", "1 / *"},
		{PostgreSQL, "a$__interval$$ ' $$", "", "a15m $$ ' $$"},
		{MySQL, `"$__value()"`, `a"\' b`, `"'a""\\\\'' b'"`},
		{MySQL, "`$__value()`", "a`b", "`'a``b'`"},
		{SQLServer, "[$__value()]", "a]b", "[N'a]]b']"},
		{ClickHouse, "'$__value()'", `\'`, `'''\\\\'''''''`},
	} {
		got, err := withValue(test.dialect, test.query, test.value)
		if err != nil || got != test.want {
			t.Errorf("%s with %s:\n got %s\nwant %s\nerror %v", test.query, test.value, got, test.want, err)
		}
	}
	for query, d := range map[string]Dialect{
		"$q$ $__value() $q$": PostgreSQL, "[$__value()]": SQLite,
		`E'$__timeFilter(a\'b)'`: PostgreSQL, `"$__timeFilter(a\"b\")"`: MySQL,
	} {
		if got, err := withValue(d, query, "a$q$ ]"); err == nil {
			t.Errorf("%s became %s", query, got)
		}
	}
}

// withValue expands a query whose macro $__value() is a literal.
func withValue(d Dialect, query, value string) (string, error) {
	text := func(sql string) Macro { return func(Query, []string) (string, error) { return sql, nil } }
	q := march
	q.SQL = query
	return Reader{Dialect: d, Macros: map[string]Macro{
		"__value": text(d.Literal(value)), "__name": text(d.Identifier(value)), "__minus": text("-1"), "__star": text("*"),
	}}.Expand(q)
}

// shape is what the database sees of a query beside what is quoted: its code,
// where its quotes are, and its comments.
func (d Dialect) shape(text string) string {
	var b strings.Builder
	last := byte(0)
	for text != "" {
		kind, end := d.next(text)
		mark := text[end-1]
		switch {
		case kind != quote:
			b.WriteString(text[:end])
			mark = 0
		case mark == last && text[0] == mark: // a doubled quote
		default:
			b.WriteString("\x01" + string(mark))
		}
		last = mark
		text = text[end:]
	}
	return strings.ReplaceAll(b.String(), " \x01'", "\x01'")
}

// FuzzInjection checks that a query reads the same, but for what is in quotes,
// whatever the values that its macros put into it.
func FuzzInjection(f *testing.F) {
	f.Add("SELECT $__value() FROM $__name() WHERE a = '$__value()'", "'; DROP TABLE t --", 0)
	f.Add("'a'$__value()'b' -$__value()", `\' OR 1=1 /*`, 2)
	f.Add("E'$__value()' $__timeFilter($__value())", `\`, 0)
	f.Add("$x$ $__value() $x$ -- $__value()", "$x$", 0)
	f.Add("[$__value()] # $__value()\n`$__value()`", "]`", 3)
	f.Fuzz(func(t *testing.T, query, value string, n int) {
		d := Dialect(uint(n) % 6)
		plain, err := withValue(d, query, "x")
		if err != nil || strings.Contains(query, "\x01") {
			t.Skip()
		}
		got, err := withValue(d, query, value)
		if err != nil {
			return // refused
		}
		if d.shape(got) != d.shape(plain) {
			t.Errorf("%v: %q with %q is\n%q, of shape\n%q, want\n%q", d, query, value, got, d.shape(got), d.shape(plain))
		}
	})
}
