using System.Globalization;

namespace Serve.Runtime.Workers.Processes;

/// <summary>The sockets and pipes that .NET opens for debuggers and tracers in the temporary folder. A process that is killed leaves them there.</summary>
internal static class RuntimeDiagnosticFiles
{
    /// <summary>Removes what a process left that has been reaped.</summary>
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
            // Somebody else tidied up, or the files are another user's.
        }
    }
}
