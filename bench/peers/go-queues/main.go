// Sends messages to NATS JetStream or to a RabbitMQ quorum queue by their own clients, each sender over a connection of its own and
// one message at a time, and waits until the server says that it has it. The figures are those of http_load.
//
//	go-queues --kind nats --url nats://127.0.0.1:4222 --senders 64 --seconds 5 --bytes 1024
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const name = "bench"

// sender sends one message and returns when it is stored.
type sender func(context.Context, []byte) error

func natsSender(url string) (sender, error) {
	connection, err := nats.Connect(url)
	if err != nil {
		return nil, err
	}
	stream, err := jetstream.New(connection)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, body []byte) error {
		_, err := stream.Publish(ctx, name, body)
		return err
	}, nil
}

func makeStream(url string) error {
	connection, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer connection.Close()
	stream, err := jetstream.New(connection)
	if err != nil {
		return err
	}
	_, err = stream.CreateOrUpdateStream(context.Background(), jetstream.StreamConfig{
		Name: name, Subjects: []string{name}, Storage: jetstream.FileStorage, Replicas: 1, Retention: jetstream.WorkQueuePolicy})
	return err
}

func amqpSender(url string) (sender, error) {
	connection, err := amqp.Dial(url)
	if err != nil {
		return nil, err
	}
	channel, err := connection.Channel()
	if err != nil {
		return nil, err
	}
	if err := channel.Confirm(false); err != nil {
		return nil, err
	}
	return func(ctx context.Context, body []byte) error {
		confirmation, err := channel.PublishWithDeferredConfirmWithContext(ctx, "", name, true, false,
			amqp.Publishing{DeliveryMode: amqp.Persistent, Body: body})
		if err != nil {
			return err
		}
		stored, err := confirmation.WaitContext(ctx)
		if err == nil && !stored {
			err = fmt.Errorf("not stored")
		}
		return err
	}, nil
}

func makeQueue(url string) error {
	connection, err := amqp.Dial(url)
	if err != nil {
		return err
	}
	defer connection.Close()
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	_, err = channel.QueueDeclare(name, true, false, false, false, amqp.Table{"x-queue-type": "quorum"})
	return err
}

func run() error {
	kind := flag.String("kind", "nats", "nats or amqp")
	url := flag.String("url", "", "of the server")
	senders := flag.Int("senders", 1, "at once")
	seconds := flag.Float64("seconds", 5, "")
	bytes := flag.Int("bytes", 1024, "of each message")
	flag.Parse()
	prepare, dial := makeStream, natsSender
	if *kind == "amqp" {
		prepare, dial = makeQueue, amqpSender
	}
	if err := prepare(*url); err != nil {
		return err
	}
	body := make([]byte, *bytes)
	rand.New(rand.NewSource(1)).Read(body)
	var each []sender
	for i := 0; i < *senders; i++ {
		send, err := dial(*url)
		if err != nil {
			return err
		}
		each = append(each, send)
	}
	var lock sync.Mutex
	var latencies []float64
	failures, firstFailure := 0, ""
	var done sync.WaitGroup
	began := time.Now()
	end := began.Add(time.Duration(*seconds * float64(time.Second)))
	for _, send := range each {
		done.Add(1)
		go func() {
			defer done.Done()
			var own []float64
			for time.Now().Before(end) {
				at := time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				err := send(ctx, body)
				cancel()
				if err != nil {
					lock.Lock()
					failures++
					firstFailure = err.Error()
					lock.Unlock()
					return
				}
				own = append(own, time.Since(at).Seconds()*1000)
			}
			lock.Lock()
			latencies = append(latencies, own...)
			lock.Unlock()
		}()
	}
	done.Wait()
	elapsed := time.Since(began).Seconds()
	if failures > 0 {
		fmt.Fprintln(os.Stderr, "first error:", firstFailure)
	}
	if len(latencies) == 0 {
		return fmt.Errorf("nothing was sent")
	}
	sort.Float64s(latencies)
	quantile := func(share float64) float64 { return latencies[int(share*float64(len(latencies)-1))] }
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"requests": len(latencies), "errors": failures, "seconds": elapsed, "rate": float64(len(latencies)) / elapsed,
		"bytes_s": float64(len(latencies)**bytes) / elapsed, "p50_ms": quantile(0.5), "p99_ms": quantile(0.99), "max_ms": quantile(1)})
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "go-queues:", err)
		os.Exit(1)
	}
}
