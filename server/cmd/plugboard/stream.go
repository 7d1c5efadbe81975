package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/plugboard/plugboard/frame"
	"github.com/plugboard/plugboard/frame/framejson"
)

// channelStream is what plugboard stream is told.
type channelStream struct {
	channel string
	data    string
	count   int
	output  output
}

func newStream() *cobra.Command {
	var s serverFlags
	var c channelStream
	cmd := &cobra.Command{
		Use:   "stream CHANNEL",
		Short: "Listen to a channel and print what comes",
		Long: `Stream listens to a channel, ds/UID/PATH of a data source or plugin/ID/PATH of a
plugin, and prints what comes until Ctrl-C: as a table that grows, as csv, or as
json, which is the plugin's packets as they are, one a line. It comes back when
the connection breaks, and waits for a plugin that is started again.`,
		Example: `  plugboard stream ds/vitals/vitals
  plugboard stream ds/testdata/random-walk -o json -n 2
  plugboard stream ds/testdata/random-walk --data '{"any": "thing"}' -o csv -n 2`,
		Args: cobra.ExactArgs(1),
		RunE: s.run(&c.output, func(ctx context.Context, server *api, cmd *cobra.Command, args []string) error {
			c.channel = args[0]
			return c.listen(ctx, server, cmd.OutOrStdout(), cmd.ErrOrStderr())
		}),
		ValidArgsFunction: s.completeChannels,
	}
	flags := cmd.Flags()
	s.register(flags)
	c.output.register(flags)
	flags.StringVarP(&c.data, "data", "d", "", "`JSON` for the plugin")
	flags.IntVarP(&c.count, "count", "n", 0, "end after so many packets; 0 does not")
	return cmd
}

func (c channelStream) listen(ctx context.Context, server *api, stdout, stderr io.Writer) error {
	query := url.Values{"channel": {c.channel}}
	if c.data != "" {
		if !json.Valid([]byte(c.data)) {
			return misused("--data is JSON, not %.40q", c.data)
		}
		query.Set("data", c.data)
	}
	out := &rows{output: c.output, w: stdout}
	got := 0
	return server.follow(ctx, "/api/live/sse?"+query.Encode(), stderr, func(packet []byte) error {
		if err := out.packet(packet); err != nil {
			return err
		}
		if got++; got == c.count {
			return errEnough
		}
		return nil
	})
}

// packet prints one packet: a frame's rows, or the text of one that is none.
func (r *rows) packet(packet []byte) error {
	if r.output == "json" {
		return r.raw(packet)
	}
	f, err := r.frame(packet)
	if err != nil {
		f = frame.New("", frame.NewField("packet", nil, []string{string(packet)}))
	}
	return r.add(f)
}

// frame reads a packet as a frame. One that has data only is of the schema that
// came last.
func (r *rows) frame(packet []byte) (*frame.Frame, error) {
	var parts struct{ Schema, Data json.RawMessage }
	if err := json.Unmarshal(packet, &parts); err != nil {
		return nil, err
	}
	if parts.Schema == nil && parts.Data != nil && r.schema != nil {
		packet = bytes.Join([][]byte{[]byte(`{"schema":`), r.schema, []byte(`,"data":`), parts.Data, []byte(`}`)}, nil)
	}
	f, err := framejson.Unmarshal(packet)
	if err == nil && parts.Schema != nil {
		r.schema = bytes.Clone(parts.Schema)
	}
	return f, err
}
