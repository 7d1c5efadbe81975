package bytepool

import "testing"

func TestPool(t *testing.T) {
	var p Pool
	for _, length := range []int{0, 1, 255, 256, 257, 16 << 10, 1<<23 - 1, 1 << 23, 1<<23 + 1} {
		b := p.Get(length)
		if len(*b) != length || cap(*b) > max(256, 2*length) {
			t.Errorf("Get(%d) has length %d and capacity %d", length, len(*b), cap(*b))
		}
		p.Put(b)
	}
	foreign := make([]byte, 3000)
	p.Put(&foreign) // no size of ours
	if b := p.Get(2500); cap(*b) != 4096 {
		t.Errorf("Get(2500) has capacity %d, want 4096", cap(*b))
	}
}
