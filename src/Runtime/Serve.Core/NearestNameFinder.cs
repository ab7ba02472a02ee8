namespace Serve;

/// <summary>Suggests the name that a mistyped one was meant to be, as the beginning of it, or else by Damerau's optimal string alignment distance, ignoring case.</summary>
public static class NearestNameFinder
{
    /// <summary>Returns the nearest known name; the first one of equally near names.</summary>
    /// <param name="written">The mistyped name.</param>
    /// <param name="known">The known names.</param>
    /// <returns>The name; null if none is near enough.</returns>
    public static string? Find(string written, IEnumerable<string> known)
    {
        var names = known.ToList();
        if (written.Length > 2 && names.Where(key => key.StartsWith(written, StringComparison.OrdinalIgnoreCase)).MinBy(key => key.Length) is { } completed)
            return completed;
        var nearest = names.Select(key => (Key: key, Distance: Distance(written, key))).OrderBy(pair => pair.Distance).FirstOrDefault();
        return nearest.Key is not null && nearest.Distance <= Math.Max(2, nearest.Key.Length / 3) ? nearest.Key : null;
    }

    private static int Distance(string written, string key)
    {
        var (a, b) = (written.ToLowerInvariant(), key.ToLowerInvariant());
        var table = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            table[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            table[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = table[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                table[i, j] = Math.Min(substituted, Math.Min(table[i - 1, j], table[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
            }
        }

        return table[a.Length, b.Length];
    }
}
