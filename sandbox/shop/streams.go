package main

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// From RFC 6455, section 1.3.
const socketKeySuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// socket takes a WebSocket and keeps it for as long as either side lives: what
// a shift of traffic means for connections that do not end by themselves.
func (service *shop) socket(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if key == "" || !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		http.Error(w, "a WebSocket is wanted here", http.StatusBadRequest)
		return
	}
	hijacker, canHijack := w.(http.Hijacker)
	if !canHijack {
		http.Error(w, "this connection cannot become a WebSocket", http.StatusHTTPVersionNotSupported)
		return
	}
	connection, buffered, err := hijacker.Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	sum := sha1.Sum([]byte(key + socketKeySuffix))
	fmt.Fprintf(buffered, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\nX-Version: %s\r\nX-Pod: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]), service.version, podName())
	if buffered.Flush() != nil {
		return
	}
	io.Copy(io.Discard, buffered)
}

func podName() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

// greet answers the gRPC call shop.Shop/Greet, whose answer has one string
// field: a frame of five bytes and the message, and the status in the trailers.
func (service *shop) greet(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		http.Error(w, "gRPC is wanted here", http.StatusUnsupportedMediaType)
		return
	}
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	text := "shop " + service.version
	message := append([]byte{0x0a, byte(len(text))}, text...)
	w.Write(append([]byte{0, 0, 0, 0, byte(len(message))}, message...))
	w.Header().Set("Grpc-Status", "0")
}
