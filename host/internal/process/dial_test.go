package process

import "testing"

// TestPool: a buffer has the length asked for and, once put back, does for any
// length of its size.
func TestPool(t *testing.T) {
	var p pool
	for _, length := range []int{0, 1, 255, 256, 257, 16 << 10, 16<<10 + 1, 1 << maxTier, 1<<maxTier + 1, 10 << 20} {
		b := p.Get(length)
		if len(*b) != length {
			t.Errorf("Get(%d) has %d bytes", length, len(*b))
		}
		*b = (*b)[:length/2]
		p.Put(b)
		if again := p.Get(length); len(*again) != length {
			t.Errorf("the second Get(%d) has %d bytes", length, len(*again))
		}
	}
	foreign := make([]byte, 300)
	p.Put(&foreign)
	if b := p.Get(512); cap(*b) < 512 {
		t.Errorf("Get(512) has room for %d bytes", cap(*b))
	}
}
