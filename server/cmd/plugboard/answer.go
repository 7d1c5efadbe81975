package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
)

// answer is what POST /api/ds/query answers.
type answer struct {
	Results map[string]result `json:"results"`
}

// result is the answer to one query.
type result struct {
	Error       string            `json:"error"`
	ErrorSource string            `json:"errorSource"`
	Status      int               `json:"status"`
	Frames      []json.RawMessage `json:"frames"`
}

func readAnswer(body []byte) (answer, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return a, failed("read the server's answer: %w", err)
	}
	return a, nil
}

// frames decodes the frames of all results, in the order of their ref ids.
func (a answer) frames() (frame.Frames, error) {
	var all frame.Frames
	for _, refID := range slices.Sorted(maps.Keys(a.Results)) {
		for _, raw := range a.Results[refID].Frames {
			f, err := framejson.Unmarshal(raw)
			if err != nil {
				return nil, failed("read a frame of query %s: %w", refID, err)
			}
			if f.RefID == "" {
				f.RefID = refID
			}
			all = append(all, f)
		}
	}
	return all, nil
}

// err tells of every result that failed, and whose fault it was.
func (a answer) err(source string) error {
	var errs []error
	for _, refID := range slices.Sorted(maps.Keys(a.Results)) {
		if r := a.Results[refID]; r.Error != "" {
			errs = append(errs, fmt.Errorf("query %s of %s failed %s, status %d: %s", refID, source, blame(r.ErrorSource), r.Status, r.Error))
		}
	}
	if errs == nil {
		return nil
	}
	return &failure{codeFailed, errors.Join(errs...)}
}

func blame(source string) string {
	if source == "downstream" {
		return "downstream of the plugin"
	}
	return "in the plugin"
}

// printNotices tells what the plugin has to say beside the data.
func printNotices(w io.Writer, frames frame.Frames) {
	for _, f := range frames {
		if f.Meta == nil {
			continue
		}
		for _, notice := range f.Meta.Notices {
			fmt.Fprintf(w, "%s: query %s: %s\n", notice.Severity, f.RefID, printable(notice.Text))
		}
	}
}
