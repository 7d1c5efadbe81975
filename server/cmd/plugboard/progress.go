package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-isatty"
)

const (
	// progressAfter is how long something takes before people want to know.
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
	// eraseLine clears what is on a terminal's line.
	eraseLine = "\r\x1b[K"
)

// terminal returns the file as a place for progress, nil if it is no terminal.
func terminal(file *os.File) io.Writer {
	if isatty.IsTerminal(file.Fd()) {
		return file
	}
	return nil
}

// progress tells on one line of a terminal how long something takes and how
// many bytes have come.
type progress struct {
	w       io.Writer
	bytes   atomic.Int64
	ended   chan struct{}
	telling sync.WaitGroup
}

// startProgress begins to tell, once it has taken a while; a nil w is told
// nothing. It needs an end.
func startProgress(w io.Writer) *progress {
	p := &progress{w: w, ended: make(chan struct{})}
	if w != nil {
		p.telling.Go(p.tell)
	}
	return p
}

func (p *progress) tell() {
	began := time.Now()
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	told := false
	for {
		select {
		case <-ticker.C:
			if took := time.Since(began); took >= progressAfter {
				told = true
				fmt.Fprintf(p.w, "%s%v, %s received", eraseLine, took.Truncate(time.Second), byteText(p.bytes.Load()))
			}
		case <-p.ended:
			if told {
				fmt.Fprint(p.w, eraseLine)
			}
			return
		}
	}
}

// end leaves the line as it was found.
func (p *progress) end() {
	close(p.ended)
	p.telling.Wait()
}

// reader counts what is read.
func (p *progress) reader(r io.Reader) io.Reader { return counted{r, &p.bytes} }

type counted struct {
	io.Reader
	n *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n.Add(int64(n))
	return n, err
}

func byteText(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	default:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	}
}
