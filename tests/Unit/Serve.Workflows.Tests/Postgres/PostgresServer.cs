using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Serve.Workflows.Postgres;
using Serve.Workflows.Storage;

namespace Serve.Workflows.Tests.Postgres;

/// <summary>A fact that needs a PostgreSQL server program; skipped with the reason where there is none.</summary>
public sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute()
    {
        if (PostgresServer.Programs is null)
            Skip = "There is no PostgreSQL server program (initdb, pg_ctl) on this machine. On Debian: apt install postgresql.";
    }
}

/// <summary>A PostgreSQL server in a temporary folder, shared by the tests.</summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("serve-pg-").FullName;
    private readonly int _port = FreePort();
    private int _databases;

    /// <summary>Gets the folder of the server's programs; null if there is none.</summary>
    public static string? Programs { get; } = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin")).LastOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")))
        : Environment.GetEnvironmentVariable("PATH")!.Split(':').FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")));

    public async Task InitializeAsync()
    {
        if (Programs is null)
            return;
        if (Environment.IsPrivilegedProcess)
            await Run("chown", ["postgres", _folder]);
        await Server("initdb", "-D", Path.Combine(_folder, "data"), "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync");
        await Restart("start");
    }

    public async Task DisposeAsync()
    {
        if (Programs is null)
            return;
        await Server("pg_ctl", "-D", Path.Combine(_folder, "data"), "-m", "immediate", "stop");
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Starts, stops or restarts the server.</summary>
    public Task Restart(string verb = "restart") => Server(
        "pg_ctl", "-D", Path.Combine(_folder, "data"), "-w", "-m", "immediate", "-l", Path.Combine(_folder, "log"), "-o", $"-p {_port} -k {_folder} -h 127.0.0.1 -F", verb);

    /// <summary>Creates a database.</summary>
    public async Task<string> CreateDatabase()
    {
        var name = $"test{Interlocked.Increment(ref _databases)}";
        await Server("createdb", "-h", "127.0.0.1", "-p", $"{_port}", "-U", "postgres", name);
        return $"Host=127.0.0.1;Port={_port};Username=postgres;Database={name};Timeout=5";
    }

    public static WorkflowStore Store(string connection) => new PostgresWorkflowStore(connection, TimeSpan.FromSeconds(2));

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Runs a program of the server, which refuses to run as root.</summary>
    private static Task Server(string program, params string[] arguments) => Environment.IsPrivilegedProcess
        ? Run("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", Path.Combine(Programs!, program), .. arguments])
        : Run(Path.Combine(Programs!, program), arguments);

    private static async Task Run(string program, string[] arguments)
    {
        // The output of a started server would keep a pipe open.
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"cd /; exec \"$0\" \"$@\" > /dev/null 2>&1", program, .. arguments]))!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} exited with {process.ExitCode}.");
    }
}
