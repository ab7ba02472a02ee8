using System.Globalization;
using System.Text;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;

namespace Serve.Runtime.RawGrpc;

/// <summary>Answers gRPC calls: headers, messages, and the status in trailers.</summary>
public static class GrpcAnswers
{
    /// <summary>What a call ends with whose time limit has passed.</summary>
    public const string TimeIsOver = "The client's time is over.";

    private const string StatusName = "grpc-status";
    private const string MessageName = "grpc-message";

    /// <summary>Runs a call and ends it with its status, whatever comes.</summary>
    /// <param name="context">The call.</param>
    /// <param name="serve">Serves it; told when the client's time is over or it has gone.</param>
    /// <param name="time">The clock of the client's time limit.</param>
    /// <returns>What went wrong on the server's side, for its log; null when nothing did.</returns>
    public static async Task<Exception?> RunAsync(HttpContext context, Func<CancellationToken, Task> serve, TimeProvider time)
    {
        context.Response.ContentType = "application/grpc";
        using var over = TimeLimit(context.Request) is { } limit ? new CancellationTokenSource(limit, time) : null;
        using var either = over is null ? null : CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, over.Token);
        try
        {
            await serve(either?.Token ?? context.RequestAborted);
            End(context, GrpcStatus.Ok, null);
            return null;
        }
        catch (Exception thrown) when (!context.RequestAborted.IsCancellationRequested)
        {
            var status = over?.IsCancellationRequested is true ? GrpcStatus.DeadlineExceeded : StatusOf(thrown);
            End(context, status, status == GrpcStatus.DeadlineExceeded ? TimeIsOver : thrown.Message);
            // What has a status of its own is of the protocol, such as a message that cannot be decompressed: the client's.
            return status is GrpcStatus.Internal && thrown is not GrpcException ? thrown : null;
        }
    }

    /// <summary>How long the client waits, as its grpc-timeout says.</summary>
    /// <param name="request">The call.</param>
    /// <returns>Null when it does not say, or as long as it takes.</returns>
    public static TimeSpan? TimeLimit(HttpRequest request)
    {
        // At most eight digits and a unit.
        var header = request.Headers["grpc-timeout"].ToString();
        if (header.Length is < 2 or > 9 || !long.TryParse(header.AsSpan(0, header.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            return null;
        var unit = header[^1] switch
        {
            'H' => TimeSpan.TicksPerHour,
            'M' => TimeSpan.TicksPerMinute,
            'S' => TimeSpan.TicksPerSecond,
            'm' => TimeSpan.TicksPerMillisecond,
            'u' => TimeSpan.TicksPerMicrosecond,
            'n' => 1.0 / TimeSpan.NanosecondsPerTick,
            _ => 0.0,
        };
        var ticks = value * unit;
        // Longer than a timer can be is no limit.
        return unit > 0 && ticks < (uint.MaxValue - 1.0) * TimeSpan.TicksPerMillisecond ? new TimeSpan((long)ticks) : null;
    }

    /// <summary>Writes one message.</summary>
    /// <param name="context">The call.</param>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Completes when it is on its way.</returns>
    public static async Task WriteAsync(HttpContext context, IMessage message, CancellationToken cancellationToken)
    {
        var body = context.Response.BodyWriter;
        GrpcFrames.WriteHead(body, message.CalculateSize());
        message.WriteTo(body);
        await body.FlushAsync(cancellationToken);
    }

    /// <summary>The status that stands for what went wrong.</summary>
    /// <param name="thrown">What was thrown.</param>
    /// <returns>The status.</returns>
    public static GrpcStatus StatusOf(Exception thrown) => thrown switch
    {
        GrpcException known => known.Status,
        ServeException known => StatusOf(known.StatusCode),
        BadHttpRequestException bad => StatusOf(bad.StatusCode),
        InvalidProtocolBufferException => GrpcStatus.InvalidArgument,
        OperationCanceledException => GrpcStatus.Cancelled,
        _ => GrpcStatus.Internal,
    };

    private static GrpcStatus StatusOf(int http) => http switch
    {
        StatusCodes.Status400BadRequest => GrpcStatus.InvalidArgument,
        StatusCodes.Status401Unauthorized => GrpcStatus.Unauthenticated,
        StatusCodes.Status403Forbidden => GrpcStatus.PermissionDenied,
        StatusCodes.Status404NotFound => GrpcStatus.NotFound,
        StatusCodes.Status408RequestTimeout => GrpcStatus.DeadlineExceeded,
        StatusCodes.Status413PayloadTooLarge => GrpcStatus.ResourceExhausted,
        StatusCodes.Status502BadGateway or StatusCodes.Status503ServiceUnavailable => GrpcStatus.Unavailable,
        _ => GrpcStatus.Internal,
    };

    // Trailers alone, in the place of headers, when nothing was written.
    private static void End(HttpContext context, GrpcStatus status, string? message)
    {
        var response = context.Response;
        var target = response.HasStarted || status == GrpcStatus.Ok ? null : response.Headers;
        Set(context, target, StatusName, ((int)status).ToString(CultureInfo.InvariantCulture));
        // What a client whose compression is not known is to be told (compression.md).
        if (status == GrpcStatus.Unimplemented && target is not null)
            target["grpc-accept-encoding"] = GrpcFrames.Encodings;
        if (!string.IsNullOrEmpty(message))
            Set(context, target, MessageName, Escape(message));
    }

    private static void Set(HttpContext context, IHeaderDictionary? headers, string name, string value)
    {
        if (headers is not null)
            headers[name] = value;
        else
            context.Response.AppendTrailer(name, value);
    }

    // Everything but printable ASCII, and the sign itself, as %XX of its UTF-8.
    private static string Escape(string message)
    {
        var text = new StringBuilder(message.Length);
        foreach (var each in Encoding.UTF8.GetBytes(message))
        {
            if (each is >= 0x20 and <= 0x7E and not (byte)'%')
                text.Append((char)each);
            else
                text.Append(CultureInfo.InvariantCulture, $"%{each:X2}");
        }

        return text.ToString();
    }
}
