package plugin

import (
	"context"
	"errors"
	"io"
	"net/http"

	"google.golang.org/grpc"

	"github.com/plugboard/plugboard/wire"
)

// Client makes calls to one plugin over a connection. It may be used from
// many goroutines. Its methods return ErrNotImplemented where the plugin
// lacks the capability, ErrUnavailable where its process is gone, the
// context's error where the caller gave up, and *Error for what the plugin
// itself reports. A call is part of the trace that its context is: see
// package trace.
type Client struct {
	conn        grpc.ClientConnInterface
	permits     permits
	resource    wire.ResourceClient
	data        wire.DataClient
	diagnostics wire.DiagnosticsClient
	stream      wire.StreamClient
	plugin      wire.PluginClient
}

// NewClient returns a client that calls over conn; closing conn is the
// caller's.
func NewClient(conn grpc.ClientConnInterface) *Client {
	conn = tracingConn{conn}
	return &Client{
		conn:        conn,
		permits:     newPermits(),
		resource:    wire.NewResourceClient(conn),
		data:        wire.NewDataClient(conn),
		diagnostics: wire.NewDiagnosticsClient(conn),
		stream:      wire.NewStreamClient(conn),
		plugin:      wire.NewPluginClient(conn),
	}
}

// Query asks the queries of the request and waits for all answers. How many
// answers of the plugin are received at once is bounded.
func (c *Client) Query(ctx context.Context, req *QueryRequest) (answer *QueryResponse, err error) {
	err = c.QueryFunc(ctx, req, func(response *QueryResponse, _ func()) error {
		answer = response
		return nil
	})
	return answer, err
}

// QueryFunc is Query for answers that may be large: it bounds, too, how many
// are in memory at once. It calls use with the answer, and while use runs, the
// answer counts among the few of this plugin that there may be; others wait.
// Use may call release, once or more often, to count no longer, because who
// reads is slow, say; the answer stays as it is. An error of use is returned.
func (c *Client) QueryFunc(ctx context.Context, req *QueryRequest, use func(answer *QueryResponse, release func()) error) error {
	response, release, err := c.queryData(ctx, &wire.QueryDataRequest{
		PluginContext: contextToWire(req.Context),
		Headers:       req.Headers,
		Queries:       queriesToWire(req.Queries),
		Format:        wire.DataFrameFormat(req.Format),
	})
	if err != nil {
		return err
	}
	defer release()
	return use(queryResponseFromWire(response), release)
}

// QueryChunks asks the queries of the request and hands every chunk to send
// as it arrives; an error of send ends the call and is returned. Call it only
// where Describe or the operator says that the plugin answers it: some
// plugins panic.
func (c *Client) QueryChunks(ctx context.Context, req *QueryRequest, send func(Chunk) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.data.QueryChunkedData(ctx, &wire.QueryChunkedDataRequest{
		PluginContext: contextToWire(req.Context),
		Headers:       req.Headers,
		Queries:       queriesToWire(req.Queries),
		Format:        wire.DataFrameFormat(req.Format),
	})
	if err != nil {
		return fromStatus(err)
	}
	return receive(stream, func(m *wire.QueryChunkedDataResponse) error { return send(chunkFromWire(m)) })
}

// CheckHealth asks whether the data source or app works.
func (c *Client) CheckHealth(ctx context.Context, req *HealthRequest) (Health, error) {
	response, err := c.diagnostics.CheckHealth(ctx, &wire.CheckHealthRequest{
		PluginContext: contextToWire(req.Context),
		Headers:       req.Headers,
	})
	if err != nil {
		return Health{}, fromStatus(err)
	}
	return Health{Status: HealthStatus(response.Status), Message: response.Message, Details: response.JsonDetails}, nil
}

// Metrics returns the plugin's metrics as Prometheus text, format 0.0.4.
func (c *Client) Metrics(ctx context.Context) ([]byte, error) {
	response, err := c.diagnostics.CollectMetrics(ctx, &wire.CollectMetricsRequest{PluginContext: &wire.PluginContext{}})
	if err != nil {
		return nil, fromStatus(err)
	}
	return response.GetMetrics().GetPrometheus(), nil
}

// CallResource makes an HTTP request of the plugin and hands every message of
// the answer to send as it arrives; an error of send ends the call and is
// returned. A plugin may answer nothing at all.
func (c *Client) CallResource(ctx context.Context, req *ResourceRequest, send func(ResourceResponse) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.resource.CallResource(ctx, &wire.CallResourceRequest{
		PluginContext: contextToWire(req.Context),
		Path:          req.Path,
		Method:        req.Method,
		Url:           req.URL,
		Headers:       headerToWire(req.Header),
		Body:          req.Body,
	})
	if err != nil {
		return fromStatus(err)
	}
	return receive(stream, func(m *wire.CallResourceResponse) error {
		return send(ResourceResponse{Status: int(m.Code), Header: headerFromWire(m.Headers), Body: m.Body})
	})
}

// Subscribe asks whether this subscriber may listen to a channel.
func (c *Client) Subscribe(ctx context.Context, req *StreamRequest) (StreamReply, error) {
	response, err := c.stream.SubscribeStream(ctx, &wire.SubscribeStreamRequest{
		PluginContext: contextToWire(req.Context),
		Path:          req.Path,
		Data:          req.Data,
		Headers:       req.Headers,
	})
	if err != nil {
		return StreamReply{}, fromStatus(err)
	}
	return StreamReply{Status: StreamStatus(response.Status), Data: response.Data}, nil
}

// Publish hands the plugin something a client published to a channel.
func (c *Client) Publish(ctx context.Context, req *StreamRequest) (StreamReply, error) {
	response, err := c.stream.PublishStream(ctx, &wire.PublishStreamRequest{
		PluginContext: contextToWire(req.Context),
		Path:          req.Path,
		Data:          req.Data,
		Headers:       req.Headers,
	})
	if err != nil {
		return StreamReply{}, fromStatus(err)
	}
	return StreamReply{Status: StreamStatus(response.Status), Data: response.Data}, nil
}

// RunStream runs a channel and hands every packet to send as it arrives, until
// the plugin ends the stream (nil), it fails, or ctx ends. An error of send
// ends the stream and is returned.
func (c *Client) RunStream(ctx context.Context, req *StreamRequest, send func(packet []byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.stream.RunStream(ctx, &wire.RunStreamRequest{
		PluginContext: contextToWire(req.Context),
		Path:          req.Path,
		Data:          req.Data,
		Headers:       req.Headers,
	})
	if err != nil {
		return fromStatus(err)
	}
	return receive(stream, func(m *wire.StreamPacket) error { return send(m.Data) })
}

// Describe asks a plugin on our SDK about itself; any other answers
// ErrNotImplemented.
func (c *Client) Describe(ctx context.Context) (Description, error) {
	response, err := c.plugin.Describe(ctx, &wire.DescribeRequest{})
	if err != nil {
		return Description{}, fromStatus(err)
	}
	return Description{Chunked: response.Chunked, QueryText: response.QueryText}, nil
}

// Forget tells a plugin on our SDK that the data source of a context was
// deleted, so that it closes what it holds open for it; of its settings, ID and
// UID are enough. Any other plugin answers ErrNotImplemented.
func (c *Client) Forget(ctx context.Context, deleted Context) error {
	_, err := c.plugin.Forget(ctx, &wire.ForgetRequest{PluginContext: contextToWire(deleted)})
	return fromStatus(err)
}

// receive hands the messages of a stream to send until the stream ends. The
// caller cancels the stream's context when receive has returned.
func receive[M any](stream grpc.ServerStreamingClient[M], send func(*M) error) error {
	for {
		message, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fromStatus(err)
		}
		if err := send(message); err != nil {
			return err
		}
	}
}

// headerToWire makes the values text: HTTP allows any bytes, the wire does not.
func headerToWire(header http.Header) map[string]*wire.StringList {
	headers := make(map[string]*wire.StringList, len(header))
	for name, values := range header {
		list := make([]string, len(values))
		for i, value := range values {
			list[i] = toText(value)
		}
		headers[toText(name)] = &wire.StringList{Values: list}
	}
	return headers
}

func headerFromWire(headers map[string]*wire.StringList) http.Header {
	header := make(http.Header, len(headers))
	for name, list := range headers {
		header[http.CanonicalHeaderKey(name)] = list.GetValues()
	}
	return header
}
