package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"konbill/batch/ledger"
	"konbill/batch/omise"
)

// beat is how often a machine tells of itself and takes its share.
const beat = ledger.Lease / 5

// wantsFor is how long a machine keeps its share that has nothing to ask: between two
// requests it would lose it.
const wantsFor = 3 * beat

// Keeper keeps a client of the payment API to its share of what all machines may ask.
type Keeper struct {
	config KeeperConfig
	client *omise.Client

	once   sync.Once
	stop   context.CancelFunc
	ended  chan struct{}
	joined chan struct{} // closed once there was a share

	wanted time.Time // when there was last something to ask; for keep alone

	mu    sync.Mutex
	share ledger.Share
	heard func(ledger.Share, time.Time)
	doing func() (inHand int, leads bool)
}

// KeeperConfig says what is shared.
type KeeperConfig struct {
	Ledger *ledger.Ledger
	Name   string       // of the computer
	Whole  ledger.Whole // what all machines may ask together
	Log    *slog.Logger
}

// NewKeeper makes a keeper. Its Join is to be that of the client which Keep is given.
func NewKeeper() *Keeper { return &Keeper{ended: make(chan struct{}), joined: make(chan struct{})} }

// Keep says what is shared, and which client is kept to its share. It is called before
// the client asks for anything.
func (k *Keeper) Keep(c KeeperConfig, client *omise.Client) { k.config, k.client = c, client }

// Join begins to take shares.
func (k *Keeper) Join() {
	k.once.Do(func() {
		ctx, stop := context.WithCancel(context.Background())
		k.mu.Lock()
		k.stop = stop
		k.mu.Unlock()
		go k.keep(ctx)
	})
}

// joinWithin is how long a machine waits until the others know of it.
const joinWithin = 2 * ledger.Lease

// waitJoined waits until the others know of this machine.
func (k *Keeper) waitJoined(ctx context.Context) error {
	k.Join()
	ctx, cancel := context.WithTimeout(ctx, joinWithin)
	defer cancel()
	select {
	case <-k.joined:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("share the pace with other machines: %w", ctx.Err())
	}
}

// Close lets the others have the share.
func (k *Keeper) Close() error {
	k.mu.Lock()
	stop := k.stop
	k.mu.Unlock()
	if stop == nil {
		return nil
	}
	stop()
	<-k.ended
	k.client.TakeShare(omise.Share{Until: time.Now()})
	ctx, cancel := context.WithTimeout(context.Background(), ledger.Lease)
	defer cancel()
	return k.config.Ledger.LeaveShare(ctx)
}

// Share is the one that this machine has; with no machines: none yet.
func (k *Keeper) Share() ledger.Share {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.share
}

// serve has heard called with each share, and until when it lasts. doing says how many
// invoices are settled here, and whether a file is run.
func (k *Keeper) serve(heard func(ledger.Share, time.Time), doing func() (inHand int, leads bool)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.heard, k.doing = heard, doing
}

// keep takes a share again and again, several times before the one it has is over.
func (k *Keeper) keep(ctx context.Context) {
	defer close(k.ended)
	beats := time.NewTicker(beat)
	defer beats.Stop()
	var until, slowedAt time.Time
	joined, tooMany, failing := false, false, false
	for {
		tooMany = k.client.TooMany() || tooMany
		began := time.Now()
		share, err := k.take(ctx, tooMany, until)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if !failing {
				k.config.Log.Warn("the pace could not be shared with other machines; nothing is asked of the payment API meanwhile", "reason", err)
			}
			failing = true
		default:
			until = began.Add(ledger.Lease)
			k.use(share, until)
			switch {
			case !joined:
				close(k.joined)
			case share.TooMany.After(slowedAt) && !tooMany: // it heeds itself what it was told
				k.client.GiveWay()
			}
			slowedAt = share.TooMany
			joined, tooMany, failing = true, false, false
		}
		select {
		case <-beats.C:
		case <-ctx.Done():
			return
		}
	}
}

// take takes a share. What it has less than before it does without at once.
func (k *Keeper) take(ctx context.Context, tooMany bool, until time.Time) (ledger.Share, error) {
	ctx, cancel := context.WithTimeout(ctx, ledger.Lease/2)
	defer cancel()
	k.mu.Lock()
	had, doing := k.share, k.doing
	k.mu.Unlock()
	claim := ledger.Claim{Name: k.config.Name, Whole: k.config.Whole, TooMany: tooMany}
	if doing != nil {
		claim.InHand, claim.Leads = doing()
	}
	if now := time.Now(); k.wanted.IsZero() || k.client.Wanted() || claim.InHand > 0 {
		k.wanted = now
	}
	claim.Wants = time.Since(k.wanted) < wantsFor
	return k.config.Ledger.TakeShare(ctx, claim, func(s ledger.Share) int {
		s.PerSecond, s.AtOnce = min(s.PerSecond, had.PerSecond), min(s.AtOnce, had.AtOnce)
		k.use(s, until)
		return k.client.UnderWay()
	})
}

func (k *Keeper) use(s ledger.Share, until time.Time) {
	k.client.TakeShare(omise.Share{PerSecond: s.PerSecond, AtOnce: s.AtOnce, Until: until})
	k.mu.Lock()
	k.share = s
	heard := k.heard
	k.mu.Unlock()
	if heard != nil {
		heard(s, until)
	}
}
