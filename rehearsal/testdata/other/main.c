/* An HTTP server that is not in Go, as small as the contract with the application allows: it answers every GET on
   PORT, one after the other, and on SIGTERM it finishes the request in hand and ends. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t ending;

static void on_term(int signal) { (void)signal; ending = 1; }

static void answer(int client) {
	char request[4096];
	size_t length = 0;
	while (length < sizeof request - 1) {
		ssize_t n = read(client, request + length, sizeof request - 1 - length);
		if (n <= 0) break;
		length += (size_t)n;
		request[length] = 0;
		if (strstr(request, "\r\n\r\n")) break;
	}
	const char *reply = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";
	if (write(client, reply, strlen(reply)) < 0) perror("write");
	shutdown(client, SHUT_WR);
	while (read(client, request, sizeof request) > 0) {}
	close(client);
}

int main(void) {
	struct sigaction term = {.sa_handler = on_term};
	sigaction(SIGTERM, &term, NULL);
	int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	const char *port = getenv("PORT");
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port ? port : "8080"))};
	if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128)) {
		perror("listen");
		return 1;
	}
	while (!ending) {
		int client = accept(listener, NULL, NULL);
		if (client >= 0) answer(client);
	}
	return 0;
}
