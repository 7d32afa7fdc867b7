// The systemd units that are installed with workq. The manual shows them from here.

import Options
import Text

/// A unit file.
struct ServiceUnit {
    var name: String
    var text: String

    init(_ name: String, _ text: String) {
        self.name = name
        self.text = "# Made by workq generate; settings of your own go into a drop-in (systemctl edit).\n\n\(text)\n"
    }

    /// The unit as a manual shows it, without the first line.
    var shown: String {
        let start = text.range(of: "\n\n")?.upperBound ?? text.startIndex
        return String(text[start...].dropLast())
    }
}

/// All units.
enum ServiceUnits {
    static var all: [ServiceUnit] { [work, flush, flushTimer] }

    static var work: ServiceUnit {
        ServiceUnit(
            "workq-work@.service",
            """
            [Unit]
            Description=Worker for the queue %I
            Documentation=man:workq-work(1)
            Wants=network-online.target
            After=network-online.target

            [Service]
            Type=notify
            EnvironmentFile=/etc/workq/%i.env
            LoadCredential=password:/etc/workq/%i.password
            ExecStart=/usr/bin/workq work %I --password-file %d/password $OPTIONS -- $COMMAND
            StateDirectory=workq/%i
            WorkingDirectory=%S/workq/%i
            Restart=on-failure
            RestartSec=5s
            # Wrong usage, a refusal, unreadable input, a missing permission and a wrong setting stay what they are.
            RestartPreventExitStatus=64 65 66 77 78
            KillMode=mixed
            TimeoutStartSec=infinity
            TimeoutStopSec=10min
            WatchdogSec=2min

            # The command has these limits too; a drop-in can loosen them.
            DynamicUser=yes
            UMask=0077
            CapabilityBoundingSet=
            LockPersonality=yes
            NoNewPrivileges=yes
            PrivateDevices=yes
            PrivateTmp=yes
            ProtectClock=yes
            ProtectControlGroups=yes
            ProtectHome=yes
            ProtectHostname=yes
            ProtectKernelLogs=yes
            ProtectKernelModules=yes
            ProtectKernelTunables=yes
            ProtectSystem=strict
            RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
            RestrictNamespaces=yes
            RestrictRealtime=yes
            RestrictSUIDSGID=yes
            SystemCallArchitectures=native

            [Install]
            WantedBy=multi-user.target
            """)
    }

    static var flush: ServiceUnit {
        ServiceUnit(
            "workq-flush@.service",
            """
            [Unit]
            Description=Delivery of the tasks in the spool of %i
            Documentation=man:workq-publish(1)
            Wants=network-online.target
            After=network-online.target
            ConditionPathExists=/var/spool/workq/%i

            [Service]
            Type=oneshot
            User=%i
            EnvironmentFile=/etc/workq/flush-%i.env
            ExecStart=/usr/bin/workq publish --spool /var/spool/workq/%i --flush $OPTIONS
            UMask=0077
            CapabilityBoundingSet=
            LockPersonality=yes
            NoNewPrivileges=yes
            PrivateDevices=yes
            PrivateTmp=yes
            ProtectControlGroups=yes
            ProtectHome=read-only
            ProtectKernelModules=yes
            ProtectKernelTunables=yes
            ProtectSystem=strict
            ReadWritePaths=/var/spool/workq/%i
            RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
            RestrictNamespaces=yes
            RestrictSUIDSGID=yes
            SystemCallArchitectures=native
            """)
    }

    static var flushTimer: ServiceUnit {
        ServiceUnit(
            "workq-flush@.timer",
            """
            [Unit]
            Description=Delivery of the tasks in the spool of %i, each minute
            Documentation=man:workq-publish(1)

            [Timer]
            OnBootSec=1min
            OnUnitInactiveSec=1min
            RandomizedDelaySec=10s

            [Install]
            WantedBy=timers.target
            """)
    }
}
