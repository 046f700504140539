/* A stand-in for a V4L2 camera, loaded with LD_PRELOAD: the driver behind the file that V4L2_CAMERA names.
 *
 * The words in that file say how the camera behaves; they are read again at each call:
 *   no-mjpeg  it has no MJPG format         odd       it has an unknown format only
 *   metadata  it is a metadata node         busy      another program streams from it
 *   silent    it takes no more pictures     stuck     a call into the driver does not return
 *   damaged   every second picture is damaged
 *   untimed   its timestamps are 0
 * Deleting the file unplugs the camera. The MJPG pictures are the files FILE.d/WIDTHxHEIGHT-NUMBER.jpg; number 0 follows
 * the last one. YUYV pictures are grey; the level of picture N is 5 + 10 * (N modulo 20) of 255, as those of tests/support/videos.py.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { BUFFERS = 4, MAX_FD = 4096, STRIDE = 1 << 24 };

struct format { __u32 fourcc, width, height, rates[2]; };
static const struct format FORMATS[] = {
    {V4L2_PIX_FMT_MJPEG, 640, 480, {30, 15}}, {V4L2_PIX_FMT_MJPEG, 1280, 720, {30, 0}},
    {V4L2_PIX_FMT_YUYV, 640, 480, {30, 15}},  {V4L2_PIX_FMT_YUYV, 160, 120, {30, 0}},
};
static const struct format ODD = {v4l2_fourcc('O', 'D', 'D', ' '), 640, 480, {30, 0}};

struct camera {
    const struct format *format;
    __u32 rate, length;
    void *memory[BUFFERS];
    int queue[BUFFERS], queued;
    long long started, taken;
};
static struct camera *cameras[MAX_FD];

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void rest(void) { nanosleep(&(struct timespec){0, 2000000}, NULL); }

/* Returns whether the camera's file has the word. Without a word: whether it has been deleted. */
static int is(const char *word) {
    char text[200] = "", *one, *rest_of;
    FILE *file = fopen(getenv("V4L2_CAMERA"), "r");
    if (!file) return !word;
    if (!fgets(text, sizeof text, file)) text[0] = 0;
    fclose(file);
    for (one = strtok_r(text, " \n", &rest_of); one && word; one = strtok_r(NULL, " \n", &rest_of))
        if (!strcmp(one, word)) return 1;
    return 0;
}

static const struct format *format_at(unsigned index) {
    if (is("odd")) return index ? NULL : &ODD;
    unsigned first = is("no-mjpeg") ? 2 : 0;
    return first + index < sizeof FORMATS / sizeof *FORMATS ? &FORMATS[first + index] : NULL;
}

/* Returns the offered format that is nearest to the wanted one, as drivers do. */
static const struct format *nearest(__u32 fourcc, __u32 width) {
    const struct format *one, *best = format_at(0);
    for (unsigned i = 0; (one = format_at(i)); i++) {
        int closer = abs((int)one->width - (int)width) < abs((int)best->width - (int)width);
        if (one->fourcc == fourcc && (best->fourcc != fourcc || closer)) best = one;
    }
    return best;
}

static long long due(const struct camera *c) { return c->started + (c->taken + 1) * 1000000LL / c->rate; }
static int is_ready(const struct camera *c) { return c->started && c->queued && !is("silent") && now() >= due(c); }

static const char *jpeg_path(char *path, size_t size, const struct format *format, int number) {
    snprintf(path, size, "%s.d/%ux%u-%d.jpg", getenv("V4L2_CAMERA"), format->width, format->height, number);
    return path;
}

/* Writes a picture into the memory, and returns its length. */
static __u32 draw(const struct camera *c, __u8 *memory, long long number) {
    if (c->format->fourcc != V4L2_PIX_FMT_MJPEG) {
        for (__u32 i = 0; i < c->length; i++) memory[i] = i % 2 ? 128 : 16 + (5 + 10 * (number % 20)) * 219 / 255;
        return c->length;
    }
    char path[4096];
    int count = 0;
    while (!access(jpeg_path(path, sizeof path, c->format, count), R_OK)) count++;
    FILE *file = count ? fopen(jpeg_path(path, sizeof path, c->format, number % count), "r") : NULL;
    if (!file) return 0;
    __u32 used = fread(memory, 1, c->length, file);
    fclose(file);
    return used;
}

static int fail(int reason) { errno = reason; return -1; }

static int dequeue(struct camera *c, int flags, struct v4l2_buffer *buffer) {
    if (!c->started) return fail(EINVAL);
    while (!is_ready(c)) {
        if (is(NULL)) return fail(ENODEV);
        if (flags & O_NONBLOCK) return fail(EAGAIN);
        rest();
    }
    long long at = now(), number = c->taken++; /* a slow reader misses none, so that tests do not depend on the machine */
    buffer->index = c->queue[0];
    memmove(c->queue, c->queue + 1, --c->queued * sizeof *c->queue);
    buffer->bytesused = draw(c, c->memory[buffer->index], number);
    buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC | (number % 2 && is("damaged") ? V4L2_BUF_FLAG_ERROR : 0);
    if (is("untimed")) at = 0;
    buffer->timestamp.tv_sec = at / 1000000LL;
    buffer->timestamp.tv_usec = at % 1000000LL;
    buffer->sequence = number;
    return 0;
}

static int answer(struct camera *c, int flags, unsigned long request, void *data) {
    const struct format *one, *earlier = NULL;
    while (is("stuck")) rest();
    if (is(NULL)) return fail(ENODEV);
    if (is("metadata") && request != VIDIOC_QUERYCAP) return fail(ENOTTY);
    switch (request) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *asked = data;
        memset(asked, 0, sizeof *asked);
        strcpy((char *)asked->card, "Stand-in Camera");
        asked->capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING | V4L2_CAP_DEVICE_CAPS;
        asked->device_caps = (is("metadata") ? V4L2_CAP_META_CAPTURE : V4L2_CAP_VIDEO_CAPTURE) | V4L2_CAP_STREAMING;
        return 0;
    }
    case VIDIOC_G_INPUT: *(int *)data = 0; return 0;
    case VIDIOC_ENUMINPUT: ((struct v4l2_input *)data)->std = 0; return 0;
    case VIDIOC_ENUM_FMT: {
        struct v4l2_fmtdesc *asked = data;
        unsigned found = 0;
        for (unsigned i = 0; (one = format_at(i)); earlier = one, i++)
            if ((!earlier || earlier->fourcc != one->fourcc) && found++ == asked->index) {
                asked->pixelformat = one->fourcc;
                asked->flags = one->fourcc == V4L2_PIX_FMT_MJPEG ? V4L2_FMT_FLAG_COMPRESSED : 0;
                return 0;
            }
        return fail(EINVAL);
    }
    case VIDIOC_ENUM_FRAMESIZES: {
        struct v4l2_frmsizeenum *asked = data;
        unsigned found = 0;
        for (unsigned i = 0; (one = format_at(i)); i++)
            if (one->fourcc == asked->pixel_format && found++ == asked->index) {
                asked->type = V4L2_FRMSIZE_TYPE_DISCRETE;
                asked->discrete.width = one->width;
                asked->discrete.height = one->height;
                return 0;
            }
        return fail(EINVAL);
    }
    case VIDIOC_ENUM_FRAMEINTERVALS: {
        struct v4l2_frmivalenum *asked = data;
        one = nearest(asked->pixel_format, asked->width);
        if (asked->index > 1 || !one->rates[asked->index]) return fail(EINVAL);
        asked->type = V4L2_FRMIVAL_TYPE_DISCRETE;
        asked->discrete = (struct v4l2_fract){1, one->rates[asked->index]};
        return 0;
    }
    case VIDIOC_S_FMT: {
        struct v4l2_pix_format *asked = &((struct v4l2_format *)data)->fmt.pix;
        if (is("busy")) return fail(EBUSY);
        c->format = nearest(asked->pixelformat, asked->width);
    } /* fall through */
    case VIDIOC_G_FMT: {
        struct v4l2_pix_format *given = &((struct v4l2_format *)data)->fmt.pix;
        given->width = c->format->width;
        given->height = c->format->height;
        given->pixelformat = c->format->fourcc;
        given->field = V4L2_FIELD_NONE;
        return 0;
    }
    case VIDIOC_S_PARM: {
        struct v4l2_fract *asked = &((struct v4l2_streamparm *)data)->parm.capture.timeperframe;
        c->rate = asked->denominator / asked->numerator > 20 || !c->format->rates[1] ? c->format->rates[0] : c->format->rates[1];
    } /* fall through */
    case VIDIOC_G_PARM: {
        struct v4l2_captureparm *given = &((struct v4l2_streamparm *)data)->parm.capture;
        given->capability = V4L2_CAP_TIMEPERFRAME;
        given->timeperframe = (struct v4l2_fract){1, c->rate};
        return 0;
    }
    case VIDIOC_REQBUFS:
        if (is("busy")) return fail(EBUSY);
        ((struct v4l2_requestbuffers *)data)->count = BUFFERS;
        c->length = c->format->width * c->format->height * 2;
        return 0;
    case VIDIOC_QUERYBUF: {
        struct v4l2_buffer *asked = data;
        asked->length = c->length;
        asked->m.offset = asked->index * STRIDE;
        return 0;
    }
    case VIDIOC_QBUF: c->queue[c->queued++] = ((struct v4l2_buffer *)data)->index; return 0;
    case VIDIOC_DQBUF: return dequeue(c, flags, data);
    case VIDIOC_STREAMON: c->started = now(); c->taken = 0; return 0;
    case VIDIOC_STREAMOFF: c->started = c->queued = 0; return 0;
    default: return fail(ENOTTY);
    }
}

/* The calls of the C library that programs and libraries make. */

#define REAL(name, ...) ((int (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

static int opened(const char *path, int fd) {
    const char *own = getenv("V4L2_CAMERA");
    if (fd >= 0 && fd < MAX_FD && own && !strcmp(path, own)) {
        cameras[fd] = calloc(1, sizeof **cameras);
        cameras[fd]->format = format_at(0);
        cameras[fd]->rate = 30;
    }
    return fd;
}

#define OPEN(name)                                                               \
    int name(const char *path, int flags, ...) {                                 \
        va_list more;                                                            \
        va_start(more, flags);                                                   \
        int mode = va_arg(more, int);                                            \
        va_end(more);                                                            \
        return opened(path, REAL(#name, const char *, int, int)(path, flags, mode)); \
    }
OPEN(open)
OPEN(open64)
int __open_2(const char *path, int flags) { return opened(path, REAL("__open_2", const char *, int)(path, flags)); }
int __open64_2(const char *path, int flags) { return opened(path, REAL("__open64_2", const char *, int)(path, flags)); }

static struct camera *camera(int fd) { return fd >= 0 && fd < MAX_FD ? cameras[fd] : NULL; }

int close(int fd) {
    if (camera(fd)) {
        free(cameras[fd]);
        cameras[fd] = NULL;
    }
    return REAL("close", int)(fd);
}

int ioctl(int fd, unsigned long request, ...) {
    va_list more;
    va_start(more, request);
    void *data = va_arg(more, void *);
    va_end(more);
    if (camera(fd)) return answer(camera(fd), fcntl(fd, F_GETFL), request & 0xffffffff, data);
    return REAL("ioctl", int, unsigned long, void *)(fd, request, data);
}

#define MMAP(name, offset_type)                                                                                \
    void *name(void *start, size_t length, int protection, int flags, int fd, offset_type offset) {           \
        void *(*real)(void *, size_t, int, int, int, offset_type) = dlsym(RTLD_NEXT, #name);                   \
        if (!camera(fd)) return real(start, length, protection, flags, fd, offset);                            \
        return camera(fd)->memory[offset / STRIDE] = real(NULL, length, protection, MAP_SHARED | MAP_ANONYMOUS, -1, 0); \
    }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)

int poll(struct pollfd *fds, nfds_t count, int timeout) {
    struct camera *c = count == 1 ? camera(fds->fd) : NULL;
    if (!c) return REAL("poll", struct pollfd *, nfds_t, int)(fds, count, timeout);
    for (long long end = now() + timeout * 1000LL;; rest()) {
        fds->revents = is(NULL) ? POLLERR | POLLHUP : is_ready(c) ? POLLIN : 0;
        if (fds->revents) return 1;
        if (timeout >= 0 && now() >= end) return 0;
    }
}
