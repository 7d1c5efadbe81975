package process

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
)

func TestLogLines(t *testing.T) {
	tests := map[string]string{
		`{"@level":"info","@message":"up","@timestamp":"2026-11-22T09:20:20.032199Z","port":8080}`: `level=INFO msg=up plugin=x port=8080`,
		`{"@level":"warn","@message":"slow"}`:                                                      `level=WARN msg=slow plugin=x`,
		`{"@level":"trace","@message":"deep"}`:                                                     `level=DEBUG msg=deep plugin=x`,
		`{"@level":"info","@message":"Plugin Request Completed","duration":"1ms"}`:                 `level=DEBUG msg="Plugin Request Completed" plugin=x duration=1ms`,
		`{"@level":"error","@message":"Plugin Request Completed"}`:                                 `level=ERROR msg="Plugin Request Completed" plugin=x`,
		`{"@message":5,"@level":{}}`:                                                               `level=DEBUG msg="" plugin=x`,
		`{"@message":"unfinished`:                                                                  `level=DEBUG msg="{\"@message\":\"unfinished" plugin=x`,
		`[WARN] old style`:                                                                         `level=WARN msg="[WARN] old style" plugin=x`,
		`just a line`:                                                                              `level=DEBUG msg="just a line" plugin=x`,
		`panic: oh no`:                                                                             `level=ERROR msg="panic: oh no" plugin=x`,
	}
	for line, want := range tests {
		var got strings.Builder
		testLog(&got, slog.LevelDebug).read(strings.NewReader(line + "\n"))
		if strings.TrimSpace(got.String()) != want {
			t.Errorf("line %s\n is logged as %s instead of %s", line, got.String(), want)
		}
	}
}

func TestAfterAPanicEveryLineIsAnError(t *testing.T) {
	var got strings.Builder
	testLog(&got, slog.LevelWarn).read(strings.NewReader("fine\npanic: oh no\ngoroutine 1 [running]:\n"))
	want := "level=ERROR msg=\"panic: oh no\" plugin=x\nlevel=ERROR msg=\"goroutine 1 [running]:\" plugin=x\n"
	if got.String() != want {
		t.Errorf("logged:\n%s", got.String())
	}
}

func TestNothingPerRequestAtTheUsualLevel(t *testing.T) {
	var got strings.Builder
	testLog(&got, slog.LevelInfo).read(strings.NewReader(
		`{"@level":"debug","@message":"Plugin Request Started"}` + "\n" +
			`{"@level":"info","@message":"Plugin Request Completed","status":"ok"}` + "\n"))
	if got.String() != "" {
		t.Errorf("logged:\n%s", got.String())
	}
}

func TestLastLinesAreKept(t *testing.T) {
	l := testLog(&strings.Builder{}, slog.LevelError)
	l.read(strings.NewReader(strings.Repeat("early\n", 100) + strings.Repeat("x", 1<<20) + "\nlast"))
	tail := l.tail()
	if len(tail) != tailLines || tail[tailLines-1] != "last" || len(tail[tailLines-2]) > tailLine+len("…") {
		t.Errorf("%d lines, of which the last are %.20q", len(tail), tail[len(tail)-2:])
	}
}

// testLog logs without the time.
func testLog(w *strings.Builder, level slog.Level) *log {
	handler := slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	return newLog(slog.New(handler), "x", level <= slog.LevelDebug)
}

func FuzzLog(f *testing.F) {
	f.Add([]byte(`{"@level":"info","@message":"up","a":[1,null]}` + "\n"))
	f.Add([]byte(`{"@message":5,"@level":["info"],"@timestamp":false}`))
	f.Fuzz(func(t *testing.T, stderr []byte) {
		l := newLog(slog.New(slog.DiscardHandler), "x", true)
		l.read(strings.NewReader(string(stderr)))
		if slices.ContainsFunc(l.tail(), func(line string) bool { return len(line) > tailLine+len("…") }) {
			t.Error("a kept line is too long")
		}
	})
}

// What the official SDK logs for every request must cost next to nothing.
func BenchmarkLogQuietLine(b *testing.B) {
	l := newLog(slog.New(slog.NewTextHandler(&strings.Builder{}, nil)), "x", false)
	line := []byte(`{"@level":"debug","@message":"Plugin Request Started","@timestamp":"2026-11-22T09:20:20.032199Z","dsName":"x","dsUid":"a","endpoint":"queryData","pluginId":"bench-datasource"}`)
	b.ReportAllocs()
	for b.Loop() {
		l.line(line)
	}
}
