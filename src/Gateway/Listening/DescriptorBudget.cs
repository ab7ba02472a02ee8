using System.Globalization;
using System.Net.Sockets;

namespace Serve.Gateway.Listening;

/// <summary>
/// File descriptors that this process may open. Each client connection may need a second descriptor for the worker that serves it, and the node keeps a reserve for everything else: assemblies,
/// workers, builds, logs and the admin API. A process without descriptors cannot load code and is terminated by the runtime.
/// </summary>
/// <param name="Limit">Limit of the process.</param>
public sealed record DescriptorBudget(int Limit)
{
    /// <summary>Files that a node without clients has open, most of them assemblies: about 290 with one worker.</summary>
    private const int OwnFiles = 320;

    /// <summary>Descriptors that are left when all connections are in use.</summary>
    private const int LargestReserve = 128;

    /// <summary>Below this limit, the number of connections is small enough to be worth a warning.</summary>
    private const int SmallLimit = 4096;

    /// <summary>Gets the budget of this process; null if the system does not report a limit.</summary>
    public static DescriptorBudget? OfProcess { get; } = Read();

    /// <summary>Gets the maximum number of client connections.</summary>
    public int MaxConnections => Math.Max(Limit / 16, (Limit - OwnFiles - Reserve) / 2);

    /// <summary>Gets the maximum number of connections to the admin API.</summary>
    public int MaxAdminConnections => Math.Max(8, Limit / 16);

    /// <summary>Gets whether the limit is so small that clients may be refused in normal operation.</summary>
    public bool IsSmall => Limit < SmallLimit;

    private int Reserve => Math.Min(LargestReserve, Limit / 4);

    /// <summary>Returns whether a new socket takes one of the last descriptors. The system assigns the lowest free number, so all lower ones are in use.</summary>
    /// <param name="socket">The socket.</param>
    public bool IsExhaustedBy(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return socket.SafeHandle.DangerousGetHandle() >= Limit - Reserve;
    }

    /// <summary>Reads the limit of open files in the format of <c>/proc/PID/limits</c>.</summary>
    /// <param name="limits">Lines of the file.</param>
    /// <returns>Null if there is no limit, or none that matters.</returns>
    internal static DescriptorBudget? Parse(IEnumerable<string> limits)
    {
        const string Name = "Max open files";
        var line = limits.FirstOrDefault(static line => line.StartsWith(Name, StringComparison.Ordinal));
        return line is not null && int.TryParse(line[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture, out var limit) ? new(limit) : null;
    }

    private static DescriptorBudget? Read()
    {
        try
        {
            return OperatingSystem.IsLinux() ? Parse(File.ReadLines("/proc/self/limits")) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
