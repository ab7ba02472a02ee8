using System.Globalization;
using Microsoft.AspNetCore.Http;
using Serve.Calls;

namespace Serve.Routes;

/// <summary>Deadline and priority of an HTTP request: a feature of its context, absent if it has neither.</summary>
/// <param name="Value">The urgency.</param>
public sealed record RequestUrgency(CallUrgency Value)
{
    /// <summary>Returns the urgency of a request.</summary>
    /// <param name="context">The request.</param>
    public static CallUrgency Of(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.Features.Get<RequestUrgency>()?.Value ?? default;
    }

    /// <summary>Encodes an urgency as <see cref="WireHeaderNames.Urgency"/>.</summary>
    /// <param name="urgency">The urgency.</param>
    /// <param name="time">The clock.</param>
    public static string Encode(CallUrgency urgency, TimeProvider time) => urgency.RemainingTime(time) is { } remaining
        ? string.Create(CultureInfo.InvariantCulture, $"{urgency.Priority} {Math.Max(1, (long)remaining.TotalMicroseconds)}")
        : urgency.Priority.ToString(CultureInfo.InvariantCulture);

    /// <summary>Decodes the result of <see cref="Encode"/>.</summary>
    /// <param name="text">The text.</param>
    /// <param name="time">The clock.</param>
    public static RequestUrgency Decode(string text, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split(' ');
        var urgency = new CallUrgency(0, int.Parse(parts[0], CultureInfo.InvariantCulture));
        return new(parts.Length == 1 ? urgency : urgency.Within(TimeSpan.FromMicroseconds(long.Parse(parts[1], CultureInfo.InvariantCulture)), time));
    }
}
