package process

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"
)

// sentKey finds in a call's context where to note that it was sent.
type sentKey struct{}

// NoteSent returns a context for a single call on a Conn, which sets sent once
// the call has been handed to the plugin. A call that fails before may be made
// again: the plugin knows nothing of it.
func NoteSent(ctx context.Context, sent *bool) context.Context {
	return context.WithValue(ctx, sentKey{}, sent)
}

// noteUnary learns from the peer whether there was one.
func noteUnary(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	sent, ok := ctx.Value(sentKey{}).(*bool)
	if !ok {
		return invoke(ctx, method, request, reply, conn, options...)
	}
	var who peer.Peer
	err := invoke(ctx, method, request, reply, conn, append(options, grpc.Peer(&who))...)
	*sent = who.Addr != nil
	return err
}

// noteStream knows that a stream comes into being on a connection only.
func noteStream(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	stream, err := open(ctx, desc, conn, method, options...)
	if sent, ok := ctx.Value(sentKey{}).(*bool); ok && err == nil {
		*sent = true
	}
	return stream, err
}
