/*
 * atcall: runs a command and strikes at the N-th system call by which it changes names or flushes
 * to disk, so that a test can try every one of them.
 *
 *   atcall COUNT-FILE N kill|ERRNO COMMAND...
 *
 * `kill`: the command is killed before the call is made, and atcall exits 137. A number: the call
 * is not made and fails with this errno. How many such calls there were goes to COUNT-FILE; N
 * beyond that, or 0, strikes nowhere. Exits as the command does; 98 where this cannot be done.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANNOT 98

static const int calls[] = {
#ifdef SYS_rename
    SYS_rename,   SYS_unlink,    SYS_rmdir,    SYS_mkdir,     SYS_link,
#endif
    SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_mkdirat,   SYS_linkat,
    SYS_fsync,    SYS_syncfs,    SYS_fchmod,   SYS_ftruncate,
};
#define CALLS (sizeof calls / sizeof *calls)

static void fail(const char *what)
{
	perror(what);
	_exit(CANNOT);
}

/* These calls stop for the tracer, and so does openat() where it makes a file. */
static void filter(void)
{
	struct sock_filter code[2 * CALLS + 6];
	unsigned short n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < CALLS; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (unsigned)calls[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	}
	code[n++] =
	    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)SYS_openat, 0, 3);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						 offsetof(struct seccomp_data, args[2]));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT, 0, 1);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {n, code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		fail("seccomp");
}

static pid_t start(char **command)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid > 0)
		return pid;
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		fail("ptrace");
	(void)raise(SIGSTOP);
	filter();
	(void)execvp(command[0], command);
	fail(command[0]);
	return -1;
}

static void refuse_call(pid_t tid, long why)
{
#ifdef __x86_64__
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs) != 0)
		fail("ptrace");
	regs.orig_rax = (unsigned long long)-1;
	regs.rax = (unsigned long long)-why;
	if (ptrace(PTRACE_SETREGS, tid, NULL, &regs) != 0)
		fail("ptrace");
#else
	(void)tid;
	(void)why;
	fprintf(stderr, "atcall: calls can only be made to fail on x86-64\n");
	_exit(CANNOT);
#endif
}

/* What is to happen at a call; NULL: nothing. */
static const char *action_at(const char *strikes, unsigned long number)
{
	for (const char *at = strikes; at != NULL; at = strchr(at, ',')) {
		char *end;
		at += *at == ',';
		if (strtoul(at, &end, 10) == number && *end == '=')
			return end + 1;
	}
	return NULL;
}

static void strike(pid_t pid, pid_t tid, const char *action)
{
	if (action != NULL && strncmp(action, "kill", 4) == 0)
		(void)kill(pid, SIGKILL);
	else if (action != NULL)
		refuse_call(tid, strtol(action, NULL, 10));
}

/* Returns how the command ended. */
static int watch(pid_t pid, const char *strikes, unsigned long *count)
{
	const int options = PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACESECCOMP;
	pid_t tid;
	int status, end = -1;

	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, options) != 0 ||
	    ptrace(PTRACE_CONT, pid, NULL, NULL) != 0)
		fail("ptrace");
	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		long sig = 0;
		if (!WIFSTOPPED(status)) {
			if (tid == pid)
				end = status;
			continue;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
			strike(pid, tid, action_at(strikes, ++*count));
		} else if (status >> 16 == 0 && WSTOPSIG(status) != SIGSTOP &&
			   WSTOPSIG(status) != SIGTRAP) {
			sig = WSTOPSIG(status);
		}
		/* It may have been killed meanwhile. */
		(void)ptrace(PTRACE_CONT, tid, NULL, sig);
	}
	return end;
}

int main(int argc, char **argv)
{
	unsigned long count = 0;

	if (argc < 4) {
		fprintf(stderr, "usage: atcall COUNT-FILE N=kill|ERRNO,... COMMAND...\n");
		return CANNOT;
	}
	int status = watch(start(argv + 3), argv[2], &count);
	FILE *to = fopen(argv[1], "w");
	if (to == NULL || fprintf(to, "%lu\n", count) < 0 || fclose(to) != 0)
		fail(argv[1]);
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : CANNOT;
}
