// Facts about the librabbitmq that this process runs with.

import CRabbitMQ

/// The library in use, which may be newer than the one workq was built with.
package enum Library {
    package static var version: String { String(cString: amqp_version()) }
}
