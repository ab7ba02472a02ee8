using Inference;
using Microsoft.AspNetCore.Http;
using Serve.Inference.Models;
using Serve.Inference.Tensors;
using Serve.Runtime;
using Serve.Runtime.RawGrpc;

namespace Serve.Inference.Grpc;

/// <summary>The protocol's inference over gRPC, as far as it is one model's. Holds no state.</summary>
/// <param name="server">The model.</param>
internal sealed class ModelGrpcService(OnnxModelServer server)
{
    // Triton's mark on the last response to a request of a stream (extension_parameters.md); here each has one.
    private const string FinalResponse = "triton_final_response";

    /// <summary>ModelInfer.</summary>
    public async Task InferAsync(HttpContext context, string model, CancellationToken cancellationToken)
    {
        var message = await GrpcFrames.RequireAsync(context.Request, cancellationToken);
        await ServeAsync(
            message, new(), model,
            (version, request, isRaw, outputs) => ModelInferResponseWriter.WriteAsync(context, model, version.Name, request, isRaw, outputs, cancellationToken),
            cancellationToken);
    }

    /// <summary>ModelStreamInfer: one request after the other; one that is wrong does not end the stream.</summary>
    public async Task StreamAsync(HttpContext context, string model, CancellationToken cancellationToken)
    {
        while (await GrpcFrames.ReadAsync(context.Request, cancellationToken) is { } message)
        {
            var asked = new InferenceRequest();
            var answer = new ModelStreamInferResponse();
            try
            {
                await ServeAsync(message, asked, model, (version, request, isRaw, outputs) =>
                {
                    answer.InferResponse = ModelInferResponseWriter.Head(model, version.Name, request, outputs);
                    answer.InferResponse.RawOutputContents.AddRange(outputs.Select(output => ModelInferResponseWriter.Raw(output.Tensor)));
                    return Task.CompletedTask;
                }, cancellationToken);
            }
            catch (Exception thrown) when (!cancellationToken.IsCancellationRequested)
            {
                // With the request's id, since a client may have sent several.
                (answer.ErrorMessage, answer.InferResponse) = (thrown.Message, new() { Id = asked.Id ?? "" });
            }

            answer.InferResponse.Parameters[FinalResponse] = new() { BoolParam = true };
            await GrpcAnswers.WriteAsync(context, answer, cancellationToken);
        }
    }

    private async Task ServeAsync(
        PooledBufferWriter message, InferenceRequest request, string model, Func<LoadedModelVersion, InferenceRequest, bool, ModelOutputs, Task> answer, CancellationToken cancellationToken)
    {
        request.Own(message);
        var isRaw = false;
        LoadedModelVersion Read()
        {
            (var named, isRaw) = ModelInferRequestReader.Read(message.Written, request);
            return named == model
                ? server.Loaded.Find(request.Version)
                : throw new BadInputException($"The request names the model '{named}'; this call began with '{model}', whose replica has it.");
        }

        await server.ServeAsync(request, Read, (version, outputs) => answer(version, request, isRaw, outputs), cancellationToken);
    }
}
