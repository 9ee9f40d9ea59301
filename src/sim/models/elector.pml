/*
 * Leader election on one lock, with clocks that drift.
 *
 * Candidates read the lock, and write it only as they have read it. A write is on its way, is carried out, and is answered,
 * with any pause in between; its sender may give up waiting, and it may be carried out all the same. A tick adds SLOW to
 * FAST units to each clock, as it likes. Nothing is ever urgent, so whoever is due may be paused.
 *
 * Versions are not counted: `sees` and `fits` say whether what was read, or is to be replaced, is still there. Ages end at
 * the lease duration, for no rule asks for more. Terms are counted up to TERMS.
 */
#ifndef CANDIDATES
#define CANDIDATES 2
#endif
#ifndef SLOW
#define SLOW 2
#endif
#ifndef FAST
#define FAST 3
#endif
#ifndef RENEW_DEADLINE
#define RENEW_DEADLINE 4
#endif
#ifndef LEASE_DURATION
#define LEASE_DURATION 6
#endif
#define RETRY_PERIOD 2
#ifndef TERMS
#define TERMS 3
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef GIVEN_UP
#define GIVEN_UP 0
#endif
#ifndef RELEASES
#define RELEASES 0
#endif

#define NOBODY 255
#define NOTHING 0
#define ACQUIRE 1
#define RENEW   2
#define RELEASE 3

/* The lock object. */
byte holder = NOBODY;
byte term;

typedef Candidate {
  /* What it has read, and whether that is still there; for how long it has seen it so. */
  bool knows; bool sees; byte seenHolder; byte seenTerm; byte silence;
  /* A read under way: how old it is. */
  bool reading; byte readAge;
  /* Its write under way, how old it is, whether it was carried out, refused, and whether the lock is still as it left it. */
  byte write; byte writeAge; byte writeTerm; bool fits; bool done; bool refused; bool mine; byte writeSilence;
  /* A write that it does not wait for any more. */
  byte late; byte lateAge; byte lateTerm; bool lateFits; bool lateMine; byte lateSilence;
  /* The term that it leads in: the age of the last write that succeeded. */
  bool tenure; byte age; byte myTerm; bool over;
}
Candidate c[CANDIDATES];

byte crashes; byte givenUp; byte releases;
/* The last term that began. */
byte begun;

#define leads(i) (c[i].tenure && c[i].age < RENEW_DEADLINE)

inline aged(value, counts) {
  if
  :: counts && value + gain < LEASE_DURATION -> value = value + gain
  :: counts && value + gain >= LEASE_DURATION -> value = LEASE_DURATION
  :: else
  fi
}

inline check() {
  d_step {
    leaders = 0;
    for (j : 0 .. CANDIDATES - 1) { leaders = leaders + (leads(j) -> 1 : 0) }
    assert(leaders <= 1);
    leaders = 0; j = 0
  }
}

/* The lock object has changed: nobody sees it as it is, and no write on its way fits any more. */
inline changed() {
  for (j : 0 .. CANDIDATES - 1) {
    c[j].sees = false; c[j].mine = false; c[j].lateMine = false;
#ifndef NO_VERSION
    c[j].fits = false; c[j].lateFits = false
#endif
  }
  j = 0
}

/* Who takes the lock from another must have seen it unchanged for as long as it says. */
inline carryOut(i, kind, itsTerm, silent) {
  assert(kind != ACQUIRE || holder == NOBODY || holder == i || silent >= LEASE_DURATION);
  assert(kind != ACQUIRE || itsTerm > term || (term == 0 && holder == NOBODY));
  assert(kind == ACQUIRE || (holder == i && term == itsTerm));
  changed();
  if
  :: kind == RELEASE -> holder = NOBODY
  :: else -> holder = i; term = itsTerm
  fi
}

/* A write of this candidate took effect, `old` units ago by its clock at the latest. */
inline adopt(i, kind, itsTerm, old) {
  if
  :: kind == ACQUIRE && old < RENEW_DEADLINE ->
     assert(itsTerm > begun || begun == 0);
     begun = itsTerm; c[i].tenure = true; c[i].age = old; c[i].myTerm = itsTerm; c[i].over = false
  :: kind == RENEW && c[i].tenure && c[i].myTerm == itsTerm ->
     c[i].age = old;
     assert(!c[i].over || !leads(i))
  :: else
  fi;
  check()
}

inline knowLock(i, since) {
  c[i].silence = ((c[i].knows && c[i].sees) -> c[i].silence : since);
  c[i].knows = true; c[i].sees = true; c[i].seenHolder = holder; c[i].seenTerm = term
}

/* What is not asked for any more counts as nothing, so that fewer states differ. */
inline loseTenure(i) { c[i].tenure = false; c[i].over = false; c[i].age = 0; c[i].myTerm = 0 }
inline forget(i) { c[i].knows = false; c[i].sees = false; c[i].silence = 0; c[i].seenHolder = 0; c[i].seenTerm = 0 }
inline settle(i) {
  c[i].write = NOTHING; c[i].done = false; c[i].refused = false; c[i].mine = false; c[i].fits = false;
  c[i].writeAge = 0; c[i].writeTerm = 0; c[i].writeSilence = 0
}

inline endByTime(i) {
  if
#ifndef LATE_NEWS
  :: c[i].tenure && c[i].age >= RENEW_DEADLINE -> loseTenure(i)
#endif
  :: else
  fi
}

proctype Elector(byte i) {
  byte j; byte leaders;
  do
  /* Reads: sent, and answered at once or later with what is there then. Own writes are recognised, as of their start. */
#ifdef SLOW_READS
  :: atomic { !c[i].reading && c[i].write == NOTHING && !c[i].tenure && !c[i].sees -> c[i].reading = true; c[i].readAge = 0 }
  :: atomic { c[i].reading ->
#else
  :: atomic { c[i].write == NOTHING && !c[i].tenure && !c[i].sees ->
#endif
     c[i].reading = false;
#ifdef FROM_REQUEST
     knowLock(i, c[i].readAge);
#else
     knowLock(i, 0);
#endif
     c[i].readAge = 0;
     if
     :: c[i].lateMine && !c[i].tenure && holder == i && c[i].late == NOTHING ->
        adopt(i, ACQUIRE, term, c[i].lateAge)
#ifdef OWN_NAME
     :: holder == i && !c[i].tenure ->
        c[i].tenure = true; c[i].age = 0; c[i].myTerm = term; check()
#endif
     :: else
     fi;
     c[i].lateMine = false }

  /* Acquires what is free, its own from before, or silent for long enough. */
  :: atomic { !c[i].reading && c[i].write == NOTHING && !c[i].tenure && c[i].knows && c[i].seenTerm < TERMS &&
#ifndef NO_SILENCE
     (c[i].seenHolder == NOBODY || c[i].seenHolder == i || c[i].silence >= LEASE_DURATION) ->
#else
     true ->
#endif
     c[i].write = ACQUIRE; c[i].writeAge = 0; c[i].writeTerm = c[i].seenTerm + 1; c[i].writeSilence = c[i].silence;
#ifdef NO_VERSION
     c[i].fits = true
#else
     c[i].fits = c[i].sees
#endif
     }
  :: atomic { c[i].tenure && leads(i) && c[i].write == NOTHING && c[i].age >= RETRY_PERIOD ->
     c[i].write = RENEW; c[i].writeAge = 0; c[i].writeTerm = c[i].myTerm; c[i].writeSilence = 0; c[i].fits = c[i].sees }

  /* Its work has returned: it leads no more, and releases. */
  :: atomic { c[i].tenure && leads(i) && c[i].write == NOTHING && releases < RELEASES ->
     releases++;
     c[i].write = RELEASE; c[i].writeAge = 0; c[i].writeTerm = c[i].myTerm; c[i].writeSilence = 0;
#ifndef RELEASE_FIRST
     loseTenure(i);
#endif
#ifdef RELEASE_UNCHECKED
     c[i].fits = true
#else
     c[i].fits = c[i].sees
#endif
     }

  /* The server carries out the write on its way, or refuses it. */
  :: atomic { c[i].write != NOTHING && !c[i].done && !c[i].refused ->
     if
#ifdef RELEASE_UNCHECKED
     :: c[i].fits || c[i].write == RELEASE ->
#else
     :: c[i].fits ->
#endif
        carryOut(i, c[i].write, c[i].writeTerm, c[i].writeSilence);
        c[i].done = true; c[i].mine = true;
        check()
     :: else -> c[i].refused = true
     fi }
  :: atomic { c[i].done ->
     endByTime(i);
     if
     :: c[i].mine -> c[i].sees = true; c[i].knows = true; c[i].seenHolder = holder; c[i].seenTerm = term; c[i].silence = 0
     :: else -> forget(i)
     fi;
     if
     :: c[i].mine ->
#ifdef FROM_RESPONSE
        adopt(i, c[i].write, c[i].writeTerm, 0)
#else
        adopt(i, c[i].write, c[i].writeTerm, c[i].writeAge)
#endif
     :: else -> loseTenure(i)
     fi;
     settle(i) }
  /* The lock has changed, and not by us: the term is over. */
  :: atomic { c[i].refused ->
     settle(i); forget(i); loseTenure(i) }

  /* It gives up waiting for the answer; the write may still be carried out. An acquisition that was is recognised later. */
  :: atomic { c[i].write == ACQUIRE && !c[i].refused && c[i].late == NOTHING && givenUp < GIVEN_UP ->
     givenUp++;
     if
     :: c[i].done -> c[i].lateMine = c[i].mine
     :: else ->
        c[i].late = ACQUIRE; c[i].lateTerm = c[i].writeTerm; c[i].lateFits = c[i].fits; c[i].lateSilence = c[i].writeSilence
     fi;
     c[i].lateAge = c[i].writeAge;
     settle(i); forget(i) }
  :: atomic { c[i].late != NOTHING ->
     if
     :: c[i].lateFits -> carryOut(i, c[i].late, c[i].lateTerm, c[i].lateSilence); c[i].lateMine = true
     :: c[i].lateFits -> skip /* lost */
     :: else
     fi;
     c[i].late = NOTHING; c[i].lateTerm = 0; c[i].lateFits = false; c[i].lateSilence = 0 }

  /* Another process of this name: what it sent is on its way, what it knew is gone. */
  :: atomic { crashes < CRASHES && c[i].late == NOTHING ->
     crashes++;
     if
     :: c[i].write != NOTHING && !c[i].done && !c[i].refused ->
        c[i].late = c[i].write; c[i].lateTerm = c[i].writeTerm; c[i].lateFits = c[i].fits; c[i].lateSilence = c[i].writeSilence
     :: else
     fi;
     /* It can't tell that write from another's of its name, so it is none of its own. */
     c[i].lateMine = false; c[i].lateAge = LEASE_DURATION;
     settle(i); forget(i); loseTenure(i); c[i].reading = false; c[i].readAge = 0 }
  od
}

/* Every clock goes on, each at its own rate. A term whose deadline has passed is over. */
proctype Time() {
  byte j; byte gain; byte leaders;
  do
  :: atomic {
     for (j : 0 .. CANDIDATES - 1) {
       if
       :: gain = SLOW
       :: gain = FAST
       fi;
       aged(c[j].silence, c[j].knows);
       aged(c[j].readAge, c[j].reading);
       aged(c[j].writeAge, c[j].write != NOTHING);
       aged(c[j].lateAge, (c[j].late != NOTHING || c[j].lateMine));
       aged(c[j].age, c[j].tenure);
       c[j].over = (c[j].tenure && c[j].age >= RENEW_DEADLINE)
     }
     for (j : 0 .. CANDIDATES - 1) { endByTime(j) }
     gain = 0; j = 0 }
  od
}

init {
  byte i;
  atomic {
    for (i : 0 .. CANDIDATES - 1) { run Elector(i) }
    run Time()
  }
}
