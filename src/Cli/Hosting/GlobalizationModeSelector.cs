using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Serve.Cli.Hosting;

/// <summary>
/// Selects the globalization of this process, in which user code runs: the machine's ICU or, where there is none, the invariant mode, in which .NET would otherwise not start. The current culture is
/// the invariant culture in both cases, so that results do not depend on the locale of the machine or the terminal.
/// </summary>
internal static partial class GlobalizationModeSelector
{
    private const string InvariantSwitch = "System.Globalization.Invariant";
    private const string InvariantVariable = "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT";

    /// <summary>Selects the mode. Must be called before anything uses a culture, because .NET reads the setting once.</summary>
    public static void Select()
    {
        // .NET terminates the process if it cannot load ICU. On Windows and macOS it is part of the system.
        if (OperatingSystem.IsLinux() && LoadIcu() == 0)
            AppContext.SetSwitch(InvariantSwitch, true);
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
    }

    /// <summary>Returns why user code runs in the invariant mode and what is missing there; null if it runs with ICU.</summary>
    public static string? DescribeInvariantMode()
    {
        const string Decomposed = "e\u0301";
        if ("\u00e9".Normalize(NormalizationForm.FormD) == Decomposed)
            return null;
        const string Consequence = "User code has no cultures, no Unicode normalization and no culture-sensitive comparison.";
        return Environment.GetEnvironmentVariable(InvariantVariable) is { Length: > 0 } value
            ? $"{InvariantVariable}={value} disables ICU. {Consequence} Remove the variable to use ICU."
            : $"This machine has no ICU library. {Consequence} Install it (package libicu-dev, libicu or icu-libs) and restart the node.";
    }

    // The runtime's own search for the library: the mode cannot disagree with what the runtime would find.
    [LibraryImport("libSystem.Globalization.Native", EntryPoint = "GlobalizationNative_LoadICU")]
    private static partial int LoadIcu();
}
