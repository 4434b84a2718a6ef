/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proves a network interface with frames that only the guest at the link's other end can answer.
 * Usage: frames IFACE NONCE SECONDS
 *
 * Either side offers 1 KiB of random bytes until the other has answered with the SHA-256 of NONCE
 * and those bytes, and answers the other's offers in the same way. Standard output tells the
 * hash of what was sent, the one that came back, and the one that the other was given: both guests
 * must tell the same, and neither can make the other's up. A process stays behind that answers for
 * good, for the other guest may come up later, or once more.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sha256.h"

enum {
	ETHERTYPE_LOCAL = 0x88B5, /* IEEE 802: local experimental use */
	OFFER = 1,
	ANSWER = 2,
	NONCE = 32, /* hexadecimal digits */
	BODY = 1024,
	RESEND_MS = 200,
};

#define HEX_DIGITS "0123456789abcdef"

struct frame {
	uint8_t to[ETH_ALEN];
	uint8_t from[ETH_ALEN];
	uint16_t ethertype;
	uint16_t kind;
	char nonce[NONCE];
	char body[BODY]; /* an offer's random bytes; an answer's hash in hexadecimal, then zeros */
};

_Static_assert(sizeof(struct frame) == 16 + NONCE + BODY, "no padding on the wire");

struct link {
	int socket;
	struct frame offer; /* ours; its sender and nonce are those of every frame of this link */
	char sent[SHA256_HEX];
	char back[SHA256_HEX]; /* what the other answered, "" so far */
	char got[SHA256_HEX]; /* what the other was given, "" so far */
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Nonce and body lie side by side: both are hashed as they came. */
static void hash(const struct frame *frame, char hex[SHA256_HEX])
{
	sha256_hex(frame->nonce, NONCE + BODY, hex);
}

/* A frame that is lost is sent again, by whoever misses its answer. */
static void send_frame(const struct link *link, struct frame *frame, uint16_t kind)
{
	frame->kind = htons(kind);
	(void)send(link->socket, frame, sizeof(*frame), 0);
}

static void send_answer(const struct link *link, const struct frame *offer, const char *hex)
{
	struct frame answer = link->offer;

	memcpy(answer.to, offer->from, ETH_ALEN);
	memset(answer.body, 0, sizeof(answer.body));
	memcpy(answer.body, hex, SHA256_HEX - 1);
	send_frame(link, &answer, ANSWER);
}

/* Takes one frame, if it is the other guest's. */
static void receive(struct link *link)
{
	struct frame frame;

	if (recv(link->socket, &frame, sizeof(frame), 0) != sizeof(frame) ||
	    memcmp(frame.nonce, link->offer.nonce, NONCE) != 0 ||
	    memcmp(frame.from, link->offer.from, ETH_ALEN) == 0)
		return;
	if (frame.kind == htons(OFFER)) {
		hash(&frame, link->got);
		send_answer(link, &frame, link->got);
		return;
	}
	frame.body[SHA256_HEX - 1] = '\0';
	if (frame.kind == htons(ANSWER) && strspn(frame.body, HEX_DIGITS) == SHA256_HEX - 1)
		memcpy(link->back, frame.body, SHA256_HEX);
}

/* Offers and answers until both sides have what they need, or SECONDS have passed. */
static void talk(struct link *link, unsigned seconds)
{
	struct pollfd ready = { .fd = link->socket, .events = POLLIN };
	uint64_t end = now_ms() + seconds * 1000ULL;
	uint64_t next = 0;

	while (!(link->back[0] && link->got[0])) {
		uint64_t now = now_ms();

		if (now >= end)
			return;
		if (now >= next && !link->back[0]) {
			send_frame(link, &link->offer, OFFER);
			next = now + RESEND_MS;
		}
		if (poll(&ready, 1, RESEND_MS) > 0)
			receive(link);
	}
}

/* Brings the interface up and binds a socket to it; a negative errno if that cannot be. */
static int open_link(struct link *link, const char *iface, const char *nonce)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_LOCAL) };
	struct ifreq request = { 0 };

	link->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (link->socket < 0)
		return -errno;
	strncpy(request.ifr_name, iface, sizeof(request.ifr_name) - 1);
	if (ioctl(link->socket, SIOCGIFHWADDR, &request))
		return -errno;
	memcpy(link->offer.from, request.ifr_hwaddr.sa_data, ETH_ALEN);
	if (ioctl(link->socket, SIOCGIFFLAGS, &request))
		return -errno;
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
	if (ioctl(link->socket, SIOCSIFFLAGS, &request))
		return -errno;
	at.sll_ifindex = (int)if_nametoindex(iface);
	if (bind(link->socket, (struct sockaddr *)&at, sizeof(at)))
		return -errno;
	memset(link->offer.to, 0xff, ETH_ALEN);
	link->offer.ethertype = htons(ETHERTYPE_LOCAL);
	memcpy(link->offer.nonce, nonce, NONCE);
	if (getrandom(link->offer.body, BODY, 0) != BODY)
		return -EIO;
	hash(&link->offer, link->sent);
	return 0;
}

static void answer_for_good(struct link *link)
{
	fclose(stdout);
	for (;;)
		receive(link);
}

/* In lines short enough for the host's console to show each in one piece. */
static void tell(const char *iface, const struct link *link)
{
	printf("proof: frames iface=%s nonce=%.*s sent=%s\n", iface, NONCE, link->offer.nonce,
	       link->sent);
	printf("proof: frames iface=%s back=%s\n", iface, link->back[0] ? link->back : "none");
	printf("proof: frames iface=%s got=%s\n", iface, link->got[0] ? link->got : "none");
}

int main(int argc, char **argv)
{
	static struct link link;
	int error;

	if (argc != 4 || strlen(argv[2]) != NONCE) {
		fprintf(stderr, "usage: frames IFACE NONCE SECONDS (a nonce has %d digits)\n",
			NONCE);
		return 2;
	}
	error = open_link(&link, argv[1], argv[2]);
	if (error) {
		printf("proof: error iface=%s why=errno-%d\n", argv[1], -error);
		return 1;
	}
	talk(&link, (unsigned)strtoul(argv[3], NULL, 10));
	tell(argv[1], &link);
	fflush(stdout);
	if (link.back[0] && link.got[0] && fork() == 0)
		answer_for_good(&link);
	return 0;
}
