package plugin

import (
	"fmt"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
)

// Decode returns the frames of the answer, which refer to the answer's bytes.
func (r Response) Decode() (frame.Frames, error) {
	frames := make(frame.Frames, 0, len(r.Frames))
	for i, raw := range r.Frames {
		f, err := decodeFrame(raw, r.Format)
		if err != nil {
			return nil, fmt.Errorf("frame %d: %w", i, err)
		}
		frames = append(frames, f)
	}
	return frames, nil
}

func decodeFrame(raw []byte, format Format) (*frame.Frame, error) {
	if format == FormatJSON {
		return framejson.Unmarshal(raw)
	}
	return frame.UnmarshalArrow(raw)
}
