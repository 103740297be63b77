// Command shop is the sample service of the sandbox. The images of its
// versions hold the same binary and differ only in their environment, and the
// same binary serves as the pause container of every pod ("shop pause").
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// settings come from the image (version, behaviour) and from the ConfigMap and
// the Secret of the deployment (greeting, token).
type settings struct {
	version     string
	neverReady  bool
	failedShare float64
	drain       time.Duration
	greeting    string
	hasToken    bool
}

type shop struct {
	settings
	draining atomic.Bool
	served   atomic.Uint64
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "pause" {
		pause()
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "check" {
		check()
		return
	}
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	configured, err := readSettings()
	if err == nil {
		err = serve(&shop{settings: configured}, log)
	}
	if err != nil {
		log.Error("shop ended", "error", err.Error())
		os.Exit(1)
	}
}

// pause holds the namespaces of a pod. As process 1 of a shared process
// namespace it is the parent of every orphan and has to reap it.
func pause() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if pid <= 0 || err != nil {
				break
			}
		}
	}
}

// check asks the shop of the same pod whether it is well, for whoever runs a
// command in the pod: the image holds no shell and no other program.
func check() {
	client := http.Client{Timeout: 2 * time.Second}
	answer, err := client.Get("http://127.0.0.1:8080/healthz")
	if err == nil && answer.StatusCode == http.StatusOK {
		fmt.Println("healthy, version", os.Getenv("SHOP_VERSION"))
		return
	}
	fmt.Fprintln(os.Stderr, "not healthy:", err)
	os.Exit(3)
}

func readSettings() (settings, error) {
	read := settings{
		version:    os.Getenv("SHOP_VERSION"),
		neverReady: os.Getenv("SHOP_READY") == "never",
		greeting:   os.Getenv("SHOP_GREETING"),
		hasToken:   os.Getenv("SHOP_TOKEN") != "",
		drain:      2 * time.Second,
	}
	if read.version == "" {
		return read, errors.New("SHOP_VERSION is not set")
	}
	if text := os.Getenv("SHOP_DRAIN"); text != "" {
		drain, err := time.ParseDuration(text)
		if err != nil {
			return read, fmt.Errorf("SHOP_DRAIN: %w", err)
		}
		read.drain = drain
	}
	if text := os.Getenv("SHOP_FAILED_SHARE"); text != "" {
		share, err := strconv.ParseFloat(text, 64)
		if err != nil || share < 0 || share > 1 {
			return read, fmt.Errorf("SHOP_FAILED_SHARE: %q is not a number from 0 to 1", text)
		}
		read.failedShare = share
	}
	return read, nil
}

func serve(service *shop, log *slog.Logger) error {
	// gRPC comes without TLS, as it does inside of a cluster.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Addr: ":8080", Handler: service.routes(), ReadHeaderTimeout: 10 * time.Second, Protocols: protocols}
	ended := make(chan error, 1)
	go func() { ended <- server.ListenAndServe() }()
	log.Info("listening", "version", service.version, "address", server.Addr)
	if service.neverReady {
		log.Error("not ready: the price list was not loaded (SHOP_READY=never); no traffic is taken",
			"version", service.version)
	}

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	select {
	case err := <-ended:
		return err
	case <-stop:
	}
	// Requests arrive until every proxy has heard that this pod is going away:
	// it goes on serving for a while after it stops being ready. A pod that was
	// never ready has no proxy that would have to hear of it.
	if !service.neverReady {
		service.draining.Store(true)
		log.Info("draining", "version", service.version, "for", service.drain.String())
		time.Sleep(service.drain)
	}
	limit, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Shutdown(limit)
}

func (service *shop) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", service.answer)
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/readyz", service.readiness)
	mux.HandleFunc("/config", service.config)
	mux.HandleFunc("/socket", service.socket)
	mux.HandleFunc("/shop.Shop/Greet", service.greet)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Version", service.version)
		if service.draining.Load() && r.ProtoMajor == 1 {
			// A proxy then opens no further request on this connection, so that
			// none is in flight when the server closes it. HTTP/2 would take it as
			// the order to close at once, and a call that is on its way would be lost.
			w.Header().Set("Connection", "close")
		}
		mux.ServeHTTP(w, r)
	})
}

func (service *shop) answer(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	if service.fails(service.served.Add(1)) {
		http.Error(w, "shop "+service.version+": the basket could not be priced", http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "shop %s\n", service.version)
}

// fails spreads the failed share evenly over the requests instead of drawing
// lots: the same request number fails in every run.
func (service *shop) fails(number uint64) bool {
	before := uint64(float64(number-1) * service.failedShare)
	return uint64(float64(number)*service.failedShare) > before
}

func (service *shop) readiness(w http.ResponseWriter, _ *http.Request) {
	switch {
	case service.draining.Load():
		http.Error(w, "draining", http.StatusServiceUnavailable)
	case service.neverReady:
		http.Error(w, "the price list is not loaded", http.StatusServiceUnavailable)
	default:
		fmt.Fprintln(w, "ready")
	}
}

func (service *shop) config(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	err := json.NewEncoder(w).Encode(map[string]any{
		"greeting": service.greeting, "tokenIsSet": service.hasToken,
	})
	if err != nil {
		slog.Error("the configuration was not sent", "error", err.Error())
	}
}
