using System.Globalization;

namespace Serve.Runtime.Workers.Processes;

/// <summary>Sockets and pipes that .NET opens in the temporary folder for debuggers and tracers. A killed process leaves them there.</summary>
internal static class RuntimeDiagnosticFiles
{
    /// <summary>Removes the files of a reaped process.</summary>
    /// <param name="pid">Its process id.</param>
    public static void RemoveOf(int pid)
    {
        if (OperatingSystem.IsWindows())
            return;
        var id = pid.ToString(CultureInfo.InvariantCulture);
        try
        {
            foreach (var pattern in (string[])[$"dotnet-diagnostic-{id}-*-socket", $"clr-debug-pipe-{id}-*"])
            {
                foreach (var file in Directory.EnumerateFiles(Path.GetTempPath(), pattern))
                    File.Delete(file);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Already removed, or owned by another user.
        }
    }
}
