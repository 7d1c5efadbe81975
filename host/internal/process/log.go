package process

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// longestLine of a plugin's log is kept; the rest of the line is dropped.
	longestLine = 64 << 10
	// tailLines is how many lines of standard error are kept for errors.
	tailLines = 20
	// tailLine is how much of each.
	tailLine = 1 << 10
)

// Keys of our log lines.
const (
	keyPlugin = "plugin"
	keyStream = "stream"
)

// requestCompleted is what the official SDK says at level info after every
// single request.
const requestCompleted = "Plugin Request Completed"

// log passes on what a process prints. Lines of hclog's JSON keep their level
// and their pairs, except that what is said once per request goes to debug.
type log struct {
	logger *slog.Logger
	debug  bool

	mu       sync.Mutex
	lines    []string
	panicked bool
	memory   bool // a line said that there is no more memory
}

func newLog(logger *slog.Logger, id string, debug bool) *log {
	return &log{logger: logger.With(keyPlugin, id), debug: debug}
}

// Plugins on the official SDK write a line per request, which is read for
// nothing. To be woken for each costs both ends; so after few such lines we wait
// for more to come, as many as fit the pipe.
const (
	pause    = 5 * time.Millisecond
	fewLines = 16 << 10 // bytes
)

// read passes on standard error until it ends.
func (l *log) read(stderr io.Reader) {
	buffered := bufio.NewReaderSize(stderr, longestLine)
	passedOver := 0
	for {
		line, err := buffered.ReadSlice('\n')
		if len(line) > 0 && l.line(bytes.TrimSpace(line)) {
			passedOver += len(line)
		}
		if buffered.Buffered() == 0 {
			if 0 < passedOver && passedOver <= fewLines {
				time.Sleep(pause)
			}
			passedOver = 0
		}
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = buffered.ReadSlice('\n')
		}
		if err != nil {
			return
		}
	}
}

// line passes a line on, or reports that it was passed over.
func (l *log) line(line []byte) (passedOver bool) {
	if len(line) == 0 {
		return false
	}
	l.remember(line)
	switch {
	case line[0] != '{':
		l.emit(l.plainLevel(line), string(line))
	case !l.debug && quiet(line):
		return true
	default:
		l.structured(line)
	}
	return false
}

// structured passes on a line of hclog's JSON.
func (l *log) structured(line []byte) {
	var pairs map[string]any
	if json.Unmarshal(line, &pairs) != nil {
		l.emit(slog.LevelDebug, string(line))
		return
	}
	message, _ := pairs["@message"].(string)
	name, _ := pairs["@level"].(string)
	level := levelOf(name, message)
	l.emit(level, message, attributes(pairs)...)
}

// quiet reports whether a line is certain to be for debugging only. Most lines
// are, so they are told by their bytes, unparsed.
func quiet(line []byte) bool {
	return bytes.Contains(line, []byte(`"@level":"debug"`)) ||
		bytes.Contains(line, []byte(`"@level":"trace"`)) ||
		bytes.Contains(line, []byte(`"@level":"info"`)) && bytes.Contains(line, []byte(`"@message":"`+requestCompleted+`"`))
}

func levelOf(name, message string) slog.Level {
	switch name {
	case "info":
		if message == requestCompleted {
			return slog.LevelDebug
		}
		return slog.LevelInfo
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		return slog.LevelDebug
	}
}

// attributes returns the pairs that are not hclog's own, in order.
func attributes(pairs map[string]any) []any {
	keys := make([]string, 0, len(pairs))
	for key := range pairs {
		if !strings.HasPrefix(key, "@") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	attributes := make([]any, len(keys))
	for i, key := range keys {
		attributes[i] = slog.Any(key, pairs[key])
	}
	return attributes
}

// plainLevel reads the level off a line that is not JSON. From a panic on
// everything is an error.
func (l *log) plainLevel(line []byte) slog.Level {
	if bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: ")) {
		l.panicked = true
		l.noteMemory(line)
	}
	switch {
	case l.panicked, bytes.HasPrefix(line, []byte("[ERROR]")):
		return slog.LevelError
	case bytes.HasPrefix(line, []byte("[WARN]")):
		return slog.LevelWarn
	case bytes.HasPrefix(line, []byte("[INFO]")):
		return slog.LevelInfo
	default:
		return slog.LevelDebug
	}
}

// noteMemory looks in the last words of a Go program for a want of memory.
func (l *log) noteMemory(line []byte) {
	if bytes.Contains(line, []byte("out of memory")) || bytes.Contains(line, []byte("cannot allocate memory")) {
		l.mu.Lock()
		l.memory = true
		l.mu.Unlock()
	}
}

func (l *log) outOfMemory() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.memory
}

func (l *log) emit(level slog.Level, message string, attributes ...any) {
	l.logger.Log(context.Background(), level, message, attributes...)
}

func (l *log) remember(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == tailLines {
		l.lines = slices.Delete(l.lines, 0, 1)
	}
	l.lines = append(l.lines, cut(string(line[:min(len(line), tailLine+1)]), tailLine))
}

// tail returns the last lines of standard error, oldest first.
func (l *log) tail() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// output returns a writer for what the plugin prints once it serves, which
// arrives over its connection in pieces of any size.
func (l *log) output(stream string) io.Writer {
	return &output{logger: l.logger.With(keyStream, stream)}
}

type output struct{ logger *slog.Logger }

func (o *output) Write(p []byte) (int, error) {
	o.logger.Debug(string(bytes.TrimSpace(p)))
	return len(p), nil
}
