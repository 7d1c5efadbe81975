// Package tail keeps the last of what is told, for those who come later and
// those who wait for more.
package tail

import (
	"slices"
	"sync"
)

// Tail keeps the last items that were added to it, which it numbers from 1. Its
// methods may be called from many goroutines.
type Tail[T any] struct {
	most, bytes int
	size        func(T) int

	mu     sync.Mutex
	items  []T
	sum    int // of their sizes
	number int64
	more   chan struct{} // nil as long as nobody waits
}

// New returns a tail without items. It keeps so many at the most, and no more
// than so many bytes, as size counts them; a nil size counts none.
func New[T any](most, bytes int, size func(T) int) *Tail[T] {
	if size == nil {
		size = func(T) int { return 0 }
	}
	return &Tail[T]{most: most, bytes: bytes, size: size}
}

// Add adds the item that is made with its number.
func (t *Tail[T]) Add(item func(number int64) T) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.number++
	added := item(t.number)
	t.items = append(t.items, added)
	t.sum += t.size(added)
	for len(t.items) > t.most || t.sum > t.bytes {
		t.sum -= t.size(t.items[0])
		clear(t.items[:1]) // what is behind the slice would be kept
		t.items = t.items[1:]
	}
	if t.more != nil {
		close(t.more)
		t.more = nil
	}
}

// Since returns what is kept of the items after the one of a number, oldest
// first: 0 is all, and so is a number that is yet to come. The channel is closed
// when there is more.
func (t *Tail[T]) Since(after int64) ([]T, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.more == nil {
		t.more = make(chan struct{})
	}
	gone := t.number - int64(len(t.items))
	if after > t.number {
		after = 0
	}
	return slices.Clone(t.items[max(after-gone, 0):]), t.more
}
