/* Source: xnu bsd/sys/poll.h. */
#ifndef SDK_POLL_H
#define SDK_POLL_H

#define POLLIN 0x0001
#define POLLOUT 0x0004

typedef unsigned int nfds_t;

struct pollfd {
  int fd;
  short events;
  short revents;
};

int poll(struct pollfd *descriptors, nfds_t count, int timeout);

#endif
