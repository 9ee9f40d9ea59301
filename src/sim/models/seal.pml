/*
 * Seal before advance: operators that all act, pods, and one gate.
 *
 * A pod bears a label with a term, and a stamp: the gate and the term below which it may not lead. The gate names a pod for a
 * term. Operators read one object at a time and write one at a time, each write only if the object is as they read it;
 * between any two of these anything may happen: pods are recreated, the gate is deleted, a stranger writes it, an operator
 * crashes, or acts on as if nothing had been.
 *
 * Versions are not counted: `podFresh` and `gateFresh` say of each operator's copy whether it is what is there now. Terms are
 * counted up to TERMS, each of the other events up to its bound.
 */
#ifndef PODS
#define PODS 2
#endif
#define OPERATORS 2
#ifndef TERMS
#define TERMS 3
#endif
#ifndef DELETIONS
#define DELETIONS 0
#endif
#ifndef STRANGERS
#define STRANGERS 0
#endif
#ifndef RECREATIONS
#define RECREATIONS 0
#endif

#define NOBODY 9
#define STRANGER 8
#define NOT_YET 0

typedef Pod { byte uid = 1; byte label; byte stampGate; byte stampTerm }
typedef Gate { bool exists; byte uid; byte term; byte holder = NOBODY; byte holderUID; bool isOurs }
Pod pods[PODS];
Gate gate;

/* What an operator has read of the one pod that it deals with, and of the gate. */
typedef Copy { byte pod; byte uid; byte label; byte stampGate; byte stampTerm; bool podFresh;
               byte gateUID; byte gateTerm; byte holder; byte holderUID; bool gateOurs; bool gateFresh }
Copy o[OPERATORS];

byte deletions; byte strangers; byte recreations;
/* Whom an operator named last. */
byte named = NOBODY; byte namedUID; byte namedTerm;

inline podChanged(which) {
  for (k : 0 .. OPERATORS - 1) { if :: o[k].pod == which -> o[k].podFresh = false :: else fi }
  k = 0
}
inline gateChanged() {
  for (k : 0 .. OPERATORS - 1) { o[k].gateFresh = false }
  k = 0
}

inline readPod(i, which) {
  at = which; o[i].pod = at; o[i].uid = pods[at].uid; o[i].label = pods[at].label;
  o[i].stampGate = pods[at].stampGate; o[i].stampTerm = pods[at].stampTerm; o[i].podFresh = true; at = 0
}
inline readGate(i) {
  o[i].gateUID = gate.uid; o[i].gateTerm = gate.term; o[i].holder = gate.holder; o[i].holderUID = gate.holderUID;
  o[i].gateOurs = gate.isOurs; o[i].gateFresh = gate.exists
}
inline forget(i) {
  o[i].pod = 0; o[i].uid = 0; o[i].label = 0; o[i].stampGate = 0; o[i].stampTerm = 0; o[i].podFresh = false;
  o[i].gateUID = 0; o[i].gateTerm = 0; o[i].holder = NOBODY; o[i].holderUID = 0; o[i].gateOurs = false;
  o[i].gateFresh = false; next = 0; isRound = false
}

/* Label off, stamp on; a patch that changes nothing leaves the version as it was. */
inline seal(i, itsTerm) {
#ifdef NO_STAMP
  if
  :: pods[o[i].pod].label != NOT_YET -> pods[o[i].pod].label = NOT_YET; at = o[i].pod; podChanged(at); at = 0
  :: else
  fi
#else
  if
  :: pods[o[i].pod].stampGate == o[i].gateUID && pods[o[i].pod].stampTerm >= itsTerm && pods[o[i].pod].label == NOT_YET
  :: else ->
     pods[o[i].pod].stampTerm =
       ((pods[o[i].pod].stampGate == o[i].gateUID && pods[o[i].pod].stampTerm > itsTerm) -> pods[o[i].pod].stampTerm : itsTerm);
     pods[o[i].pod].stampGate = o[i].gateUID; pods[o[i].pod].label = NOT_YET;
     at = o[i].pod; podChanged(at); at = 0
  fi
#endif
}

#ifdef NO_VERSION
#define isAsRead(i) (true)
#else
#define isAsRead(i) (o[i].podFresh && pods[o[i].pod].uid == o[i].uid)
#endif
/* A stamp of another gate is replaced only when the gate, read after that pod, is still the one that is known. */
#ifdef FOREIGN_STAMP
#define mayStamp(i) (true)
#else
#define mayStamp(i) (o[i].stampGate == 0 || o[i].stampGate == o[i].gateUID || (gate.exists && gate.uid == o[i].gateUID))
#endif
#ifdef NO_STAMP
#define mayLead(i, itsTerm) (true)
#else
#define mayLead(i, itsTerm) (o[i].stampGate == o[i].gateUID && o[i].stampTerm < itsTerm)
#endif
/* Written by us, and naming one of our pods: then every earlier holder is sealed. */
#ifdef NO_MARK
#define isKnown(i) (o[i].holder < PODS)
#else
#define isKnown(i) (o[i].gateOurs && o[i].holder < PODS)
#endif

inline checkLabels() {
  d_step {
    count = 0;
    for (k : 0 .. PODS - 1) { count = count + (pods[k].label != NOT_YET -> 1 : 0) }
    assert(count <= 1);
    count = 0; k = 0
  }
}

inline putLabel(i) {
  if
  :: isAsRead(i) ->
     pods[o[i].pod].label = o[i].gateTerm; at = o[i].pod; podChanged(at); at = 0;
     assert(named == o[i].pod && namedUID == o[i].uid && namedTerm == o[i].gateTerm);
     checkLabels()
  :: else
  fi
}

proctype Operator(byte i) {
  byte k; byte at; byte count; byte next; bool isRound; byte p;
idle:
  do
  :: atomic { !gate.exists ->
     gate.exists = true; gate.uid = deletions + 1; gate.term = 0;
#ifdef BORN_HELD
     gate.holder = 0; gate.holderUID = pods[0].uid; gate.isOurs = true; gate.term = 1; named = 0; namedUID = pods[0].uid; namedTerm = 1;
#else
     gate.holder = NOBODY; gate.holderUID = 0; gate.isOurs = true;
#endif
     gateChanged() }

  /* The holder that the gate names gets its label: the pod is read, then the gate, then the pod is written. */
  :: atomic { gate.exists ->
     readGate(i);
     if
     :: isKnown(i)
     :: else -> forget(i); goto idle
     fi }
     atomic {
     readPod(i, o[i].holder);
     if
     :: o[i].label == NOT_YET
     :: else -> forget(i); goto idle
     fi }
     atomic {
     if
     :: gate.exists && gate.holder == o[i].holder && gate.uid == o[i].gateUID && gate.term == o[i].gateTerm &&
        gate.holderUID == o[i].uid && gate.isOurs && mayLead(i, o[i].gateTerm)
     :: else -> forget(i); goto idle
     fi }
     atomic {
     if
     :: mayLead(i, o[i].gateTerm) && o[i].holderUID == o[i].uid -> putLabel(i)
     :: else
     fi; forget(i) }

  /* A pod that bears no stamp of this gate is stamped below every term. */
  :: atomic { gate.exists ->
     readGate(i);
     if
     :: p = 0
     :: p = 1
#if PODS > 2
     :: p = 2
#endif
     fi;
     readPod(i, p); p = 0;
     if
     :: o[i].stampGate != o[i].gateUID
     :: else -> forget(i); goto idle
     fi }
     atomic {
     if
     :: mayStamp(i)
     :: else -> forget(i); goto idle
     fi }
     atomic {
     if
     :: isAsRead(i) -> seal(i, 0)
     :: else
     fi; forget(i) }

  /* The leader changes. */
  :: atomic { gate.exists && gate.term < TERMS ->
     readGate(i);
     if
     :: isKnown(i) -> readPod(i, o[i].holder)
     :: else -> isRound = true
     fi }
     if
     :: isRound -> goto round
     :: else
     fi;
#ifdef NO_SEAL
     goto advance;
#endif
#ifdef SEAL_AFTER
     goto advance;
#endif
     /* Its holder is sealed; gone with its UID, or sealed before, it needs none. */
     atomic {
     if
     :: pods[o[i].holder].uid != o[i].holderUID -> goto advance
     :: o[i].uid == o[i].holderUID && o[i].label == NOT_YET && o[i].stampGate == o[i].gateUID &&
        o[i].stampTerm >= o[i].gateTerm -> goto advance
     :: else
     fi;
     if
     :: mayStamp(i)
     :: else -> forget(i); goto idle
     fi }
     atomic {
     if
     :: isAsRead(i) -> seal(i, o[i].gateTerm)
     :: else -> forget(i); goto idle
     fi }
     goto advance;

round:
     /* Somebody else wrote the gate, or it was just born: every pod is stamped before anybody is named. */
#ifdef NO_ROUND
     goto advance;
#endif
     do
     :: atomic { next < PODS -> readPod(i, next) }
        atomic {
        if
        :: mayStamp(i)
        :: else -> forget(i); goto idle
        fi }
        atomic {
        if
        :: isAsRead(i) -> seal(i, o[i].gateTerm); next++
        :: else /* again */
        fi }
     :: next == PODS -> break
     :: forget(i); goto idle
     od;

advance:
     atomic {
     next = 0; isRound = false;
     if
     :: readPod(i, 0)
     :: readPod(i, 1)
#if PODS > 2
     :: readPod(i, 2)
#endif
     fi;
     if
     :: mayLead(i, o[i].gateTerm + 1)
     :: else -> forget(i); goto idle
     fi }
     atomic {
     if
     :: o[i].gateFresh && gate.exists && gate.uid == o[i].gateUID ->
        p = o[i].holder;
        gate.term = o[i].gateTerm + 1; gate.holder = o[i].pod; gate.holderUID = o[i].uid; gate.isOurs = true;
        gateChanged();
        named = o[i].pod; namedUID = o[i].uid; namedTerm = gate.term;
        readGate(i)
     :: else -> forget(i); goto idle
     fi }
#ifdef SEAL_AFTER
     atomic {
     if
     :: p < PODS && p != o[i].pod && pods[p].label != NOT_YET -> pods[p].label = NOT_YET; podChanged(p)
     :: else
     fi }
#endif
     /* The gate was read by writing it, after the pod was read. */
     atomic { p = 0; putLabel(i); forget(i) }

  od
}

/* Whatever may happen to the objects besides. */
proctype Hands() {
  byte k; byte p;
  do
  :: atomic { gate.exists && deletions < DELETIONS ->
     deletions++;
     gate.exists = false; gate.uid = 0; gate.term = 0; gate.holder = NOBODY; gate.holderUID = 0; gate.isOurs = false;
     gateChanged() }
  :: atomic { gate.exists && strangers < STRANGERS ->
     strangers++;
     if
     :: gate.holder = NOBODY; gate.holderUID = 0
     :: gate.holder = STRANGER; gate.holderUID = 0
     :: gate.holder = 0; gate.holderUID = pods[0].uid
     :: gate.holder = 1; gate.holderUID = pods[1].uid
     fi;
     gate.isOurs = false; gateChanged() }
  :: atomic { recreations < RECREATIONS ->
     recreations++;
     if
     :: p = 0
     :: p = 1
#if PODS > 2
     :: p = 2
#endif
     fi;
     pods[p].uid++; pods[p].label = NOT_YET; pods[p].stampGate = 0; pods[p].stampTerm = 0; podChanged(p); p = 0 }
  od
}

init { atomic { byte i; for (i : 0 .. OPERATORS - 1) { run Operator(i) }; run Hands() } }
