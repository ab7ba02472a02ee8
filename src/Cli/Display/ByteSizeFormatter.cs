using System.Globalization;

namespace Serve.Cli.Display;

/// <summary>Words for amounts. Holds no state.</summary>
internal static class ByteSizeFormatter
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>Bytes as people read them.</summary>
    /// <param name="bytes">How many.</param>
    /// <returns>For instance <c>1.5 MiB</c>.</returns>
    public static string Bytes(double bytes)
    {
        var unit = 0;
        for (; bytes >= 1024 && unit < Units.Length - 1; unit++)
            bytes /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{(unit == 0 ? bytes : Math.Round(bytes, 1)):0.#} {Units[unit]}");
    }
}
