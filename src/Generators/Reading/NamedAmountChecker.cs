using System.Globalization;
using Microsoft.CodeAnalysis;
using Serve.Generators.Diagnostics;
using Serve.Generators.Models;

namespace Serve.Generators.Reading;

/// <summary>Checks the lists of resources and concurrency groups in <c>[Remote]</c>: <c>"tpu=1, disk=0.5"</c>.</summary>
internal static class NamedAmountChecker
{
    public static void Check(AttributeData attribute, ISymbol symbol, List<DiagnosticInfo> findings)
    {
        foreach (var setting in attribute.NamedArguments)
        {
            var whole = setting.Key == "ConcurrencyGroups";
            if ((whole || setting.Key == "Resources") && setting.Value.Value is string text && WhyNot(text, whole) is { } why)
                findings.Add(DiagnosticInfo.Of(RemoteDiagnostics.Amounts, symbol, setting.Key, text, why));
        }
    }

    private static string? WhyNot(string text, bool whole)
    {
        HashSet<string> names = [];
        foreach (var item in text.Split(','))
        {
            var parts = item.Split('=');
            if (parts.Length != 2 || parts[0].Trim().Length == 0)
                return $"'{item.Trim()}' is not name=amount";
            if (!names.Add(parts[0].Trim()))
                return $"'{parts[0].Trim()}' is specified twice";
            var amount = parts[1].Trim();
            if (whole && !(int.TryParse(amount, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit > 0))
                return $"'{amount}' is not a whole number above 0";
            if (!whole && !(double.TryParse(amount, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share) && share >= 0))
                return $"'{amount}' is not a number of 0 or more";
        }

        return null;
    }
}
