using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serve.Http;
using Serve.Inference.Models;
using Serve.Specs;

namespace Serve.Inference.Grpc;

/// <summary>
/// Routes ModelInfer and ModelStreamInfer to the model that the first message of a call names. The name is read from the message's first bytes, which stay in the request, and the path becomes
/// the model's; the call is then forwarded like any other request. Holds no state.
/// </summary>
internal sealed class ModelCallRouter(ServedModelCatalog catalog, ServerGrpcService service, TimeProvider time)
{
    /// <summary>How much of a message is searched for its model. Serializers write the name first.</summary>
    public const int MaxPeekedBytes = 256 * 1024;

    private const int FrameHeaderSize = 5;

    // The replica ends a call at its deadline. This is for calls that still wait for a replica or for their first message.
    private static readonly TimeSpan DeadlineGrace = TimeSpan.FromMilliseconds(250);

    /// <summary>Routes a call.</summary>
    /// <param name="context">The call.</param>
    /// <param name="method">ModelInfer or ModelStreamInfer.</param>
    /// <param name="forward">The rest of the gateway, which finds the application at the new path.</param>
    /// <param name="rootPath">Prefix of every route prefix.</param>
    public async Task RouteAsync(HttpContext context, string method, RequestDelegate forward, string rootPath)
    {
        var clientGone = context.RequestAborted;
        using var deadline = ReadTimeout(context.Request) is { } timeout ? new CancellationTokenSource(timeout + DeadlineGrace, time) : null;
        using var either = deadline is null ? null : CancellationTokenSource.CreateLinkedTokenSource(clientGone, deadline.Token);
        if (either is not null)
            context.RequestAborted = either.Token;
        Exception? failure = null;
        try
        {
            LimitEachMessage(context);
            var model = await PeekModelNameAsync(context.Request, RequestBodyLimit.Of(context), context.RequestAborted);
            if (string.IsNullOrEmpty(model))
                throw new BadInputException($"The first {MaxPeekedBytes} bytes of the request have no model_name.");
            catalog.Require(model);
            context.Request.Path = $"{rootPath}{ApplicationPackage.ModelPrefix}{model}/{ModelGrpcService.Name}/{method}";
            await forward(context);
        }
        catch (Exception error) when (error is ServeException or RpcException or BadHttpRequestException || IsDeadlineExceeded())
        {
            failure = error;
        }
        finally
        {
            if (either is not null)
                context.RequestAborted = clientGone;
        }

        // A replica may end a canceled request without a response.
        if (IsDeadlineExceeded() && !context.Response.HasStarted)
            failure = new RpcException(new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded"));
        if (failure is null)
            return;
        if (context.Response.HasStarted)
        {
            context.Abort();
            return;
        }

        context.Response.Clear();
        await service.FailAsync(context, method, failure);

        bool IsDeadlineExceeded() => deadline?.IsCancellationRequested is true && !clientGone.IsCancellationRequested;
    }

    /// <summary>Reads the header <c>grpc-timeout</c>: at most eight digits and a unit.</summary>
    /// <returns>Null if there is none, it is malformed, or it is longer than a timer can wait.</returns>
    internal static TimeSpan? ReadTimeout(HttpRequest request)
    {
        var timeout = GrpcRequests.ParseTimeout(request.Headers[GrpcRequests.TimeoutHeader].ToString());
        return timeout?.TotalMilliseconds < uint.MaxValue - 1.0 ? timeout : null;
    }

    // A call may have many messages, or one that is as large as the limit, after its frame header: the limit is for each message. The replica enforces it.
    private static void LimitEachMessage(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is not { IsReadOnly: false } server)
            return;
        context.Features.Set<IHttpMaxRequestBodySizeFeature>(new RequestBodyLimit(server, server.MaxRequestBodySize));
        server.MaxRequestBodySize = null;
    }

    /// <summary>Searches the first message for its model without consuming any bytes.</summary>
    /// <returns>The name; null or empty if there is none.</returns>
    private static async ValueTask<string?> PeekModelNameAsync(HttpRequest request, int maxMessageSize, CancellationToken cancellationToken)
    {
        var body = request.BodyReader;
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            string? name = null;
            var isFinal = read.IsCompleted;
            try
            {
                if (buffer.Length >= FrameHeaderSize)
                {
                    var (isCompressed, length) = ReadFrameHeader(buffer);
                    if (length > maxMessageSize)
                        throw GrpcErrors.MessageTooLarge(maxMessageSize);
                    var message = buffer.Slice(FrameHeaderSize, Math.Min(Math.Min(length, MaxPeekedBytes), buffer.Length - FrameHeaderSize));
                    name = isCompressed ? FindCompressed(request, message) : new RequestModelNameReader(message).Read();
                    isFinal |= name is not null || message.Length == length || message.Length == MaxPeekedBytes;
                }
            }
            finally
            {
                // Not marked as examined once it is final, so that the next reader receives it at once.
                body.AdvanceTo(buffer.Start, isFinal ? buffer.Start : buffer.End);
            }

            if (isFinal)
                return name;
        }
    }

    private static (bool IsCompressed, uint Length) ReadFrameHeader(ReadOnlySequence<byte> buffer)
    {
        Span<byte> header = stackalloc byte[FrameHeaderSize];
        buffer.Slice(0, FrameHeaderSize).CopyTo(header);
        return (header[0] != 0, BinaryPrimitives.ReadUInt32BigEndian(header[1..]));
    }

    // The name is usually first; more is decompressed only until it is found.
    private static string? FindCompressed(HttpRequest request, ReadOnlySequence<byte> compressed)
    {
        const int FirstSize = 4096;
        using var source = new MemoryStream(compressed.ToArray(), writable: false);
        using Stream? decompressed = request.Headers["grpc-encoding"].ToString() switch
        {
            "gzip" => new GZipStream(source, CompressionMode.Decompress),
            "deflate" => new ZLibStream(source, CompressionMode.Decompress),
            _ => null,
        };
        if (decompressed is null)
            throw GrpcErrors.UnknownEncoding(request);
        var part = new byte[FirstSize];
        var length = 0;
        while (true)
        {
            var hasEnded = !TryFill(decompressed, part, ref length);
            var name = new RequestModelNameReader(new(part, 0, length)).Read();
            if (name is not null || hasEnded || part.Length == MaxPeekedBytes)
                return name;
            Array.Resize(ref part, Math.Min(part.Length * 4, MaxPeekedBytes));
        }
    }

    private static bool TryFill(Stream source, byte[] target, ref int length)
    {
        try
        {
            while (length < target.Length)
            {
                var read = source.Read(target, length, target.Length - length);
                if (read == 0)
                    return false;
                length += read;
            }

            return true;
        }
        catch (InvalidDataException)
        {
            // The received part ends here.
            return false;
        }
    }
}
