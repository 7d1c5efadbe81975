package plugin

import (
	"context"
	"errors"
	"io"
	"net/http"

	"google.golang.org/grpc"

	"github.com/plugboard/plugboard/internal/bytepool"
	"github.com/plugboard/plugboard/wire"
)

// Client makes calls to one plugin over a connection. It may be used from
// many goroutines. Its methods return ErrNotImplemented where the plugin
// lacks the capability, ErrUnavailable where its process is gone, the
// context's error where the caller gave up, and *Error for what the plugin
// itself reports. A call is part of the trace that its context is: see
// package trace.
type Client struct {
	conn    grpc.ClientConnInterface
	permits permits
	buffers bytepool.Pool // for answers

	queryOptions []grpc.CallOption
	maxAnswer    int // 0 if there is no limit
}

// NewClient returns a client that calls over conn; closing conn is the
// caller's.
func NewClient(conn grpc.ClientConnInterface) *Client {
	return &Client{conn: tracingConn{conn}, permits: newPermits(), queryOptions: callOptions}
}

// LimitAnswers bounds the bytes of the answer to one Query, and of each chunk of
// one to QueryChunks: a longer one is not received but refused, when it begins,
// with an *Error of status 413. It is called before the first call.
func (c *Client) LimitAnswers(bytes int) {
	c.maxAnswer = bytes
	c.queryOptions = append(callOptions, grpc.MaxCallRecvMsgSize(bytes))
}

// callOptions are those of every call. The slice has no room: who appends to
// it copies it.
var callOptions = []grpc.CallOption{grpc.StaticMethod(), grpc.ForceCodecV2(aliasing{})}

// invoke makes a unary call.
func (c *Client) invoke(ctx context.Context, method string, req, response any) error {
	return fromStatus(c.conn.Invoke(ctx, method, req, response, callOptions...))
}

// stream makes a call that is answered in messages.
func stream[M any](ctx context.Context, c *Client, method string, req request, send func(*M) error) error {
	return streamWith(ctx, c, callOptions, method, req, send)
}

func streamWith[M any](ctx context.Context, c *Client, options []grpc.CallOption, method string, req request, send func(*M) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method, options...)
	if err != nil {
		return fromStatus(err)
	}
	if err := stream.SendMsg(req); err != nil && !errors.Is(err, io.EOF) { // io.EOF: RecvMsg says why
		return fromStatus(err)
	}
	_ = stream.CloseSend() // it has no error
	for {
		message := new(M)
		err := stream.RecvMsg(message)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return c.overLimit(err)
		}
		if err := send(message); err != nil {
			return err
		}
	}
}

// Query asks the queries of the request and waits for all answers. How many
// answers of the plugin are received at once is bounded.
func (c *Client) Query(ctx context.Context, req *QueryRequest) (answer *QueryResponse, err error) {
	err = c.query(ctx, req, nil, func(response *QueryResponse, _ func()) error {
		answer = response
		return nil
	})
	return answer, err
}

// QueryFunc is Query for answers that may be large: it bounds, too, how many
// are in memory at once. It calls use with the answer, and while use runs, the
// answer counts among the few of this plugin that there may be; others wait.
// Use may call release, once or more often, to count no longer, because who
// reads is slow, say; the answer stays as it is. When use has returned, the
// memory of the answer's frames is used for other answers. An error of use is
// returned.
func (c *Client) QueryFunc(ctx context.Context, req *QueryRequest, use func(answer *QueryResponse, release func()) error) error {
	return c.query(ctx, req, &c.buffers, use)
}

// query keeps the answer in memory of the pool, if there is one.
func (c *Client) query(ctx context.Context, req *QueryRequest, pool *bytepool.Pool, use func(*QueryResponse, func()) error) error {
	answer := &gathered{pool: pool}
	defer answer.free()
	release, err := c.queryData(ctx, queryRequest(req), answer)
	if err != nil {
		return err
	}
	defer release()
	return use(queryResponseFromWire(&answer.QueryDataResponse), release)
}

// QueryChunks asks the queries of the request and hands every chunk to send
// as it arrives; an error of send ends the call and is returned. While send
// takes its time the plugin waits, with a chunk or two on their way. Call it only
// where Describe or the operator says that the plugin answers it: some
// plugins panic.
func (c *Client) QueryChunks(ctx context.Context, req *QueryRequest, send func(Chunk) error) error {
	return streamWith(ctx, c, c.queryOptions, wire.Data_QueryChunkedData_FullMethodName, queryRequest(req),
		func(m *wire.QueryChunkedDataResponse) error { return send(chunkFromWire(m)) })
}

// CheckHealth asks whether the data source or app works.
func (c *Client) CheckHealth(ctx context.Context, req *HealthRequest) (Health, error) {
	var response wire.CheckHealthResponse
	if err := c.invoke(ctx, wire.Diagnostics_CheckHealth_FullMethodName, healthRequest(req), &response); err != nil {
		return Health{}, err
	}
	return Health{Status: HealthStatus(response.Status), Message: response.Message, Details: response.JsonDetails}, nil
}

// Metrics returns the plugin's metrics as Prometheus text, format 0.0.4.
func (c *Client) Metrics(ctx context.Context) ([]byte, error) {
	var response wire.CollectMetricsResponse
	request := &wire.CollectMetricsRequest{PluginContext: &wire.PluginContext{}}
	if err := c.invoke(ctx, wire.Diagnostics_CollectMetrics_FullMethodName, request, &response); err != nil {
		return nil, err
	}
	return response.GetMetrics().GetPrometheus(), nil
}

// CallResource makes an HTTP request of the plugin and hands every message of
// the answer to send as it arrives; an error of send ends the call and is
// returned. A plugin may answer nothing at all.
func (c *Client) CallResource(ctx context.Context, req *ResourceRequest, send func(ResourceResponse) error) error {
	return stream(ctx, c, wire.Resource_CallResource_FullMethodName, resourceRequest(req), func(m *wire.CallResourceResponse) error {
		return send(ResourceResponse{Status: int(m.Code), Header: headerFromWire(m.Headers), Body: m.Body})
	})
}

// Subscribe asks whether this subscriber may listen to a channel.
func (c *Client) Subscribe(ctx context.Context, req *StreamRequest) (StreamReply, error) {
	var response wire.SubscribeStreamResponse
	if err := c.invoke(ctx, wire.Stream_SubscribeStream_FullMethodName, streamRequest(req), &response); err != nil {
		return StreamReply{}, err
	}
	return StreamReply{Status: StreamStatus(response.Status), Data: response.Data}, nil
}

// Publish hands the plugin something a client published to a channel.
func (c *Client) Publish(ctx context.Context, req *StreamRequest) (StreamReply, error) {
	var response wire.PublishStreamResponse
	if err := c.invoke(ctx, wire.Stream_PublishStream_FullMethodName, streamRequest(req), &response); err != nil {
		return StreamReply{}, err
	}
	return StreamReply{Status: StreamStatus(response.Status), Data: response.Data}, nil
}

// RunStream runs a channel and hands every packet to send as it arrives, until
// the plugin ends the stream (nil), it fails, or ctx ends. An error of send
// ends the stream and is returned.
func (c *Client) RunStream(ctx context.Context, req *StreamRequest, send func(packet []byte) error) error {
	return stream(ctx, c, wire.Stream_RunStream_FullMethodName, streamRequest(req),
		func(m *wire.StreamPacket) error { return send(m.Data) })
}

// Forget tells a plugin on our SDK that the data source of a context was
// deleted, so that it closes what it holds open for it; of its settings, ID and
// UID are enough. Any other plugin answers ErrNotImplemented.
func (c *Client) Forget(ctx context.Context, deleted Context) error {
	return c.invoke(ctx, wire.Plugin_Forget_FullMethodName, newRequest(deleted), &wire.ForgetResponse{})
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
