// librabbitmq for Swift, with inline wrappers only for what Swift can't call: the variadic logins.
#ifndef WORKQ_CRABBITMQ_SHIM_H
#define WORKQ_CRABBITMQ_SHIM_H

// From 0.12 the headers live in a folder of their own and the flat ones warn.
#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

/// Logs in with user name and password (SASL PLAIN).
static inline amqp_rpc_reply_t workq_login_plain(amqp_connection_state_t connection, const char *vhost, int frame_max,
                                                 int heartbeat, const amqp_table_t *properties, const char *username,
                                                 const char *password) {
    return amqp_login_with_properties(connection, vhost, 0, frame_max, heartbeat, properties, AMQP_SASL_METHOD_PLAIN,
                                      username, password);
}

/// Logs in with the client's certificate (SASL EXTERNAL). The identity must not be empty, the library fails on that.
static inline amqp_rpc_reply_t workq_login_external(amqp_connection_state_t connection, const char *vhost,
                                                    int frame_max, int heartbeat, const amqp_table_t *properties,
                                                    const char *identity) {
    return amqp_login_with_properties(connection, vhost, 0, frame_max, heartbeat, properties,
                                      AMQP_SASL_METHOD_EXTERNAL, identity);
}

#endif
