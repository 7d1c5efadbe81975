package gateway

import (
	"net/http"
	"strconv"
	"sync"
)

// answer writes a response in blocks, as it is made: nothing is sent before the
// first block is full, and no more than that is held back.
type answer struct {
	w           http.ResponseWriter
	contentType string
	status      int
	place       *place // of what is written here
	block       []byte
	begun       bool
	gone        error // of the client
}

// blockSize is what is written at a time; what comes in larger pieces is not
// collected. Answers up to that size, a few thousand numbers, go out in one
// piece and need not be sent in chunks.
const blockSize = 128 << 10

// blocks holds *[]byte for answers.
var blocks = sync.Pool{New: func() any { return new(make([]byte, 0, blockSize)) }}

// write answers with what make writes. Its error is the answer if nothing has
// been sent, else the connection ends: what has been sent cannot be taken back.
func (a *answer) write(make func(*answer) error) error {
	block := blocks.Get().(*[]byte)
	a.block = (*block)[:0]
	defer func() {
		if cap(a.block) <= 4*blockSize {
			*block = a.block
			blocks.Put(block)
		}
	}()
	err := make(a)
	if err == nil {
		err = a.end()
	}
	switch {
	case a.gone != nil:
		return nil
	case err != nil && a.begun:
		return broken{err}
	}
	return err
}

// add is Write for little.
func (a *answer) add(text string) { a.block = append(a.block, text...) }

// Write writes p, now or with what follows. Its error is the end of the client.
func (a *answer) Write(p []byte) (int, error) {
	if len(a.block)+len(p) <= blockSize {
		a.block = append(a.block, p...)
		return len(p), nil
	}
	if err := a.flush(); err != nil {
		return 0, err
	}
	if len(p) < blockSize/2 {
		a.block = append(a.block, p...)
		return len(p), nil
	}
	return len(p), a.send(p)
}

func (a *answer) end() error {
	if !a.begun {
		a.w.Header().Set("Content-Length", strconv.Itoa(len(a.block)))
		a.place.move() // the client may be slow for all we know
	}
	return a.flush()
}

func (a *answer) flush() error {
	err := a.send(a.block)
	a.block = a.block[:0]
	return err
}

func (a *answer) send(p []byte) error {
	if !a.begun {
		a.begun = true
		a.w.Header().Set("Content-Type", a.contentType)
		a.w.WriteHeader(a.status)
	}
	if a.gone != nil {
		return a.gone
	}
	a.place.watch()
	defer a.place.unwatch()
	_, a.gone = a.w.Write(p)
	return a.gone
}
